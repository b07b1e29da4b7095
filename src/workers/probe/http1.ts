/** HTTP/1.1 over one socket: one request after the other, for as long as the site keeps the connection. */
import type { Socket } from 'node:net';
import { fieldOf, isInterim, MAX_HEAD_BYTES, readHead, type HttpHead } from '../net/http-head.js';
import { codeOfAbort } from '../net/open-address.js';
import { clockAheadMs } from '../net/site-clock.js';
import { httpFailure, type Answer, type Exchange } from './answer.js';
import { connectionCodeOf } from '../net/error-code.js';
import { Http1Pages } from './http1-pages.js';
import type { Manner } from './manner.js';

const PADDING = 'padding';
/** Of a HEAD request with that header, its value and the host's left out. */
const BARE_BYTES = `HEAD / HTTP/1.1\r\nhost: \r\n${PADDING}: \r\n\r\n`.length;

/** Of Node's parser, which says so of the same. */
const NO_HTTP = 'HPE_INVALID_CONSTANT';
const TOO_LONG = 'HPE_HEADER_OVERFLOW';

/** A request that is under way. */
interface Asked {
  readonly startedAt: number;
  /** What has come of its answer. */
  come: Buffer | undefined;
  readonly settle: (answer: Answer) => void;
}

/**
 * A HEAD request, of which nothing but the head comes, is a few bytes written and a few read, every few seconds for years: Node's client would make some
 * thirty objects of it and take as much of the processor as all the rest of a check. A site that refuses HEAD is asked by Node's.
 */
export class Http1 implements Exchange {
  readonly #socket: Socket;
  readonly #hostHeader: string;
  readonly #head: Buffer;
  #asked: Asked | undefined;
  /** The site says that it keeps the connection for no longer, or has sent what nobody asked for; on the clock of `performance.now()`. */
  #endsAtMs = Infinity;
  /** For whoever asks by GET, from then on. */
  #pages: Http1Pages | undefined;

  constructor(socket: Socket, hostHeader: string) {
    this.#socket = socket;
    this.#hostHeader = hostHeader;
    this.#head = headOf(hostHeader, 0);
    socket.on('data', this.#onData);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get usable(): boolean {
    if (this.#pages !== undefined) return this.#pages.usable;
    const { destroyed, writable, readable } = this.#socket;
    return this.#asked === undefined && !destroyed && writable && readable && performance.now() < this.#endsAtMs;
  }

  ask(method: Manner['method'], signal: AbortSignal, size = 0): Promise<Answer> {
    if (method === 'GET' && this.#pages === undefined) {
      this.#socket.off('data', this.#onData).off('error', this.#onError).off('close', this.#onClose);
      this.#pages = new Http1Pages(this.#socket, this.#hostHeader);
    }
    if (this.#pages !== undefined) return this.#pages.ask(signal);
    return new Promise((resolve) => {
      const onAbort = (): void => this.#fail(codeOfAbort(signal));
      this.#asked = {
        startedAt: performance.now(),
        come: undefined,
        settle: (answer) => {
          signal.removeEventListener('abort', onAbort);
          this.#asked = undefined;
          if (!answer.ok) this.close();
          resolve(answer);
        },
      };
      if (signal.aborted) onAbort();
      else if (!this.#socket.writable) this.#fail('ECONNRESET', 'closed without an answer');
      else {
        signal.addEventListener('abort', onAbort);
        this.#socket.write(size === 0 ? this.#head : headOf(this.#hostHeader, size));
      }
    });
  }

  close(): void {
    this.#pages?.close();
    this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer): void => {
    const asked = this.#asked;
    if (asked === undefined) {
      // Nobody asked for it, and it would be taken for the next answer.
      this.close();
      return;
    }
    let come = asked.come === undefined ? chunk : Buffer.concat([asked.come, chunk]);
    for (;;) {
      const head = readHead(come);
      if (head === 'incomplete') {
        asked.come = come;
        return;
      }
      if (head === 'no-http') {
        this.#fail(come.length < MAX_HEAD_BYTES ? NO_HTTP : TOO_LONG, 'the answer is not HTTP');
        return;
      }
      come = come.subarray(head.length);
      if (isInterim(head)) continue;
      // It ends with its head whatever that says of a body (RFC 9110, 9.3.2).
      const keptMs = come.length > 0 ? 0 : keptForMs(head);
      this.#endsAtMs = keptMs === Infinity ? Infinity : performance.now() + keptMs;
      asked.settle(saidBy(head, asked.startedAt));
      return;
    }
  };

  readonly #onError = (error: Error): void => this.#fail(connectionCodeOf(error));

  readonly #onClose = (): void => this.#fail('ECONNRESET', 'closed without an answer');

  #fail(error: string, detail?: string): void {
    this.#asked?.settle(httpFailure(error, detail));
  }
}

/** HTTP/1.1 keeps a connection open without being asked to; each byte is paid for some 370,000 times a month. */
function headOf(hostHeader: string, size: number): Buffer {
  const padding = size - BARE_BYTES - hostHeader.length;
  const padded = padding > 0 ? `${PADDING}: ${'x'.repeat(padding)}\r\n` : '';
  return Buffer.from(`HEAD / HTTP/1.1\r\nhost: ${hostHeader}\r\n${padded}\r\n`, 'latin1');
}

function saidBy(head: HttpHead, startedAt: number): Extract<Answer, { ok: true }> {
  const date = fieldOf(head, 'date');
  return {
    ok: true,
    status: head.status,
    ms: Math.round(performance.now() - startedAt),
    date,
    clockAheadMs: clockAheadMs({ date, age: fieldOf(head, 'age') }, Date.now()),
  };
}

/** RFC 9112, 9.3, and what `Keep-Alive` hints at: the site ends it after so long, or not at all. */
function keptForMs(head: HttpHead): number {
  const connection = fieldOf(head, 'connection')?.toLowerCase() ?? '';
  const options = connection === '' ? [] : connection.split(',').map((option) => option.trim());
  if (head.status === 101 || options.includes('close')) return 0;
  if (head.minor === 0 && !options.includes('keep-alive')) return 0;
  const secs = /^timeout=(\d+)/.exec(fieldOf(head, 'keep-alive') ?? '')?.[1];
  return secs === undefined ? Infinity : Number(secs) * 1_000;
}
