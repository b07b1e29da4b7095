import http from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpRefusal } from './faults.js';

/** Answers a request or an upgrade on the bare socket and closes it. */
export function refuseOnSocket(
  socket: Duplex,
  refusal: Pick<HttpRefusal, 'status' | 'retryAfterSecs'> & { readonly message?: string },
): void {
  const body = refusal.message ?? http.STATUS_CODES[refusal.status] ?? '';
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} ${http.STATUS_CODES[refusal.status] ?? 'Refused'}`,
      'Connection: close',
      'Content-Type: text/plain',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...(refusal.retryAfterSecs === undefined ? [] : [`Retry-After: ${refusal.retryAfterSecs}`]),
      '',
      body,
    ].join('\r\n'),
  );
}

/** A behaviour that returns to normal by itself after `times` uses, if it has that. */
export class Scripted<B extends { readonly kind: string; readonly times?: number }> {
  #uses = 0;
  #current: B;

  constructor(private readonly normal: B) {
    this.#current = normal;
  }

  set(behaviour: B): void {
    this.#current = behaviour;
    this.#uses = 0;
  }

  /** The behaviour now, without using it up. */
  get current(): B {
    return this.#current;
  }

  /** The behaviour for one use. */
  use(): B {
    const behaviour = this.#current;
    this.#uses += 1;
    if (behaviour.times !== undefined && this.#uses >= behaviour.times) this.set(this.normal);
    return behaviour;
  }
}
