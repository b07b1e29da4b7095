/** Asks by HTTP over a Unix socket, or at a TCP port of this machine, as any client may. What comes back is searched for secrets at the end of the tests. */
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { gatherLine } from './everything-logged.js';

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface AskOptions {
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A path of a Unix socket, or a TCP port. */
export type Where = string | number;

/** @throws the system's error, such as ECONNREFUSED or ECONNRESET */
export function ask(where: Where, path: string, options: AskOptions = {}): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request({ ...targetOf(where), path, method, headers, timeout: 30_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => {
        gatherLine('outlet', text);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
      response.once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer within 30 s')));
    sent.once('error', reject);
    sent.end(body);
  });
}

function targetOf(where: Where): { readonly socketPath: string } | { readonly host: string; readonly port: number } {
  return typeof where === 'string' ? { socketPath: where } : { host: '127.0.0.1', port: where };
}

/** A client that says only this, or nothing. */
export async function sayBare(where: Where, text = ''): Promise<Socket> {
  const socket = typeof where === 'string' ? connect(where) : connect(where, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** Resolves when the other side has closed it; what it has said until then. */
export async function closedBy(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  socket.resume();
  // Not once(): an error, such as ECONNRESET, is a way to be closed.
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return text;
}
