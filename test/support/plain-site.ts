import type net from 'node:net';
import { Listener, resetSocket, type ListenOptions } from './listener.js';

/** What port 80 does. */
export type PlainBehaviour =
  /** As nearly every site: the same address by HTTPS. */
  | { readonly kind: 'upgrade' }
  /** To somewhere else. `headers`: lines beside it. */
  | { readonly kind: 'redirect'; readonly location: string; readonly status?: number }
  | { readonly kind: 'page'; readonly body: string; readonly status?: number; readonly headers?: readonly string[] }
  /** The page never ends. */
  | { readonly kind: 'endless'; readonly body: string }
  /** Not HTTP. */
  | { readonly kind: 'garbage' }
  | { readonly kind: 'silent' }
  /** As soon as it is spoken to. */
  | { readonly kind: 'reset' };

/** A bare HTTP server: it says byte for byte what it is told to, and answers TLS with the same. */
export class PlainSite {
  #listener!: Listener;
  #behaviour: PlainBehaviour = { kind: 'upgrade' };
  readonly requests: string[] = [];

  static async start(options: ListenOptions = {}): Promise<PlainSite> {
    const site = new PlainSite();
    site.#listener = await Listener.start(options, (socket) => site.#onConnection(socket));
    return site;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Connections accepted so far, and those open now. */
  get connections(): number {
    return this.#listener.accepted;
  }
  get open(): number {
    return this.#listener.open;
  }

  behave(behaviour: PlainBehaviour): void {
    this.#behaviour = behaviour;
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  #onConnection(socket: net.Socket): void {
    let read = '';
    let answered = false;
    socket.on('data', (chunk: Buffer) => {
      read += chunk.toString('latin1');
      // What is no HTTP is answered, too.
      if (answered || !(read.includes('\r\n\r\n') || chunk[0] === 22)) return;
      answered = true;
      this.requests.push(read);
      this.#answer(socket, /^host: *([^\r\n]+)/im.exec(read)?.[1] ?? 'nobody');
    });
  }

  #answer(socket: net.Socket, host: string): void {
    const behaviour = this.#behaviour;
    const say = (status: number, headers: readonly string[], body: string): void => {
      const lines = [`HTTP/1.1 ${status} So`, ...headers, `Content-Length: ${Buffer.byteLength(body)}`];
      socket.end(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`);
    };
    switch (behaviour.kind) {
      case 'upgrade':
        say(301, [`Location: https://${host.replace(/:\d+$/, '')}/`], '');
        return;
      case 'redirect':
        say(behaviour.status ?? 302, [`Location: ${behaviour.location}`], '');
        return;
      case 'page':
        say(behaviour.status ?? 200, ['Content-Type: text/html', ...(behaviour.headers ?? [])], behaviour.body);
        return;
      case 'endless':
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n${behaviour.body}`);
        return;
      case 'garbage':
        socket.end('\u0000\u0001 this is not HTTP \r\n\r\n');
        return;
      case 'reset':
        resetSocket(socket);
        return;
      case 'silent':
        return;
    }
  }
}
