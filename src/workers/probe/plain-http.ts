/** One bounded plain HTTP request to the site: who answers for it? Never rejects, follows nothing, and leaves nothing open. */
import { connectionCodeOf } from '../net/error-code.js';
import { Agent, request } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { raceAddresses } from '../net/address-race.js';
import { codeOfAbort, DeadlineError, openAddress, type OpenedAddress } from '../net/open-address.js';
import type { PlainAnswer } from './portal-answer.js';

/** Of the page; where a portal leads to stands at its beginning. */
const MAX_BODY_BYTES = 16 * 1024;
/** Addresses tried at the most: whoever answers for one answers for all. */
const MAX_TRIED = 2;

export interface PlainOptions {
  readonly host: string;
  readonly port: number;
  /** IP literals in the order of preference; at least one. */
  readonly addresses: readonly string[];
  /** Over connect, headers and the beginning of the page. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Plain {
  readonly address: string;
  readonly ms: number;
  /** Undefined: nobody answered, or not by HTTP. */
  readonly answer: PlainAnswer | undefined;
  readonly error?: string;
}

export async function askPlain(options: PlainOptions): Promise<Plain> {
  const startedAt = performance.now();
  const { host, port, signal } = options;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlineError('time is up')), options.timeoutMs);
  const either = AbortSignal.any([signal, deadline.signal]);
  const since = (): number => Math.round(performance.now() - startedAt);
  try {
    const { address, opened } = await raceAddresses<OpenedAddress<never>>({
      addresses: options.addresses.slice(0, MAX_TRIED),
      open: (one, inner) => openAddress({ address: one, host, port, signal: inner }),
      close: ({ socket }) => socket.destroy(),
      tells: () => 0,
      signal: either,
    });
    if (!opened.ok) return { address, ms: since(), answer: undefined, error: connectionCodeOf(opened.error) };
    try {
      return { address, ms: since(), answer: await get(opened.socket, host, port, either) };
    } catch (error) {
      return { address, ms: since(), answer: undefined, error: connectionCodeOf(error) };
    } finally {
      opened.socket.destroy();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves with what has come of the page when it is long or its end does not come. */
function get(socket: Socket, host: string, port: number, signal: AbortSignal): Promise<PlainAnswer> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 6 ? `[${host}]` : host;
    const outgoing = request({
      method: 'GET',
      path: '/',
      agent: new OneSocket(socket),
      headers: { host: port === 80 ? name : `${name}:${port}`, accept: 'text/html', connection: 'close' },
    });
    let got: (() => void) | undefined;
    const fail = (error: Error): void => {
      reject(error);
      outgoing.destroy();
    };
    const givenUp = (): void => (got ?? (() => fail(coded(codeOfAbort(signal)))))();
    signal.addEventListener('abort', givenUp, { once: true });
    outgoing.on('error', fail);
    outgoing.on('close', () => fail(coded('ECONNRESET')));
    outgoing.on('response', (response) => {
      const { statusCode: status = 0, headers } = response;
      let body = '';
      got = () => {
        resolve({ status, location: headers.location, refresh: one(headers['refresh']), body });
        outgoing.destroy();
      };
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1', 0, MAX_BODY_BYTES - body.length);
        if (body.length >= MAX_BODY_BYTES) got?.();
      });
      for (const end of ['end', 'error', 'close']) response.on(end, got);
    });
    if (signal.aborted) givenUp();
    outgoing.end();
  });
}

class OneSocket extends Agent {
  constructor(private readonly socket: Socket) {
    super();
  }
  override createConnection(): Socket {
    return this.socket;
  }
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

function coded(code: string): Error & { code: string } {
  return Object.assign(new Error(code), { code });
}
