/**
 * Makes the clocks and timers of a thread go faster, and lets hours pass at once. Everything of this program measures and waits by the global
 * functions that are replaced here; what Node itself measures (sockets, TLS, files) goes on in real time.
 *
 * When hours pass, clocks jump, and timers of a minute or more that are due by then fire once. Shorter ones are deadlines of what is under way: they
 * go on, as on a machine that was stopped meanwhile.
 */
import { promisify } from 'node:util';

export interface FastClock {
  /** Timers that have neither fired nor been cleared. */
  readonly timers: number;
  /** Lets so much time pass now, milliseconds. */
  pass(ms: number): void;
}

interface Pending {
  dueMs: number;
  readonly ms: number;
  readonly repeats?: true;
  readonly fire: () => void;
}

/** Shorter timers take no notice when time passes, milliseconds. */
const LONG_MS = 60_000;

type Callback = (...args: unknown[]) => void;

export interface FastClockOptions {
  /** So many times as fast. */
  readonly speed: number;
  /** The wall clock from which on it is faster, milliseconds since 1970; the same for all threads. */
  readonly epochMs: number;
  /** What has passed already, milliseconds. */
  readonly passedMs: number;
}

export function installFastClock({ speed, epochMs, passedMs }: FastClockOptions): FastClock {
  let jumpedMs = passedMs;
  const pending = new Map<NodeJS.Timeout, Pending>();
  const real = {
    now: performance.now.bind(performance),
    wall: Date.now.bind(Date),
    hrtime: process.hrtime.bigint.bind(process.hrtime),
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    setInterval: globalThis.setInterval,
    clearInterval: globalThis.clearInterval,
  };
  const now = (): number => real.now() * speed + jumpedMs;
  performance.now = now;
  Date.now = () => Math.round(epochMs + (real.wall() - epochMs) * speed + jumpedMs);
  const bootNs = real.hrtime();
  process.hrtime.bigint = () =>
    bootNs + (real.hrtime() - bootNs) * BigInt(speed) + BigInt(Math.round(jumpedMs * 1_000_000));

  const setTimeoutFast = (fn: Callback, ms = 1, ...args: unknown[]): NodeJS.Timeout => {
    const handle = real.setTimeout(() => {
      pending.delete(handle);
      fn(...args);
    }, ms / speed);
    pending.set(handle, { dueMs: now() + ms, ms, fire: () => fn(...args) });
    return handle;
  };
  const setIntervalFast = (fn: Callback, ms = 1, ...args: unknown[]): NodeJS.Timeout => {
    const handle = real.setInterval(() => fn(...args), ms / speed);
    pending.set(handle, { dueMs: now() + ms, ms, repeats: true, fire: () => fn(...args) });
    return handle;
  };
  const sleep = (ms?: number, value?: unknown): Promise<unknown> =>
    new Promise((resolve) => setTimeoutFast(() => resolve(value), ms));
  Object.defineProperty(setTimeoutFast, promisify.custom, { value: sleep });
  const clear =
    (how: (handle?: NodeJS.Timeout) => void): ((handle?: NodeJS.Timeout) => void) =>
    (handle) => {
      if (handle !== undefined) pending.delete(handle);
      how(handle);
    };
  Object.assign(globalThis, {
    setTimeout: setTimeoutFast,
    setInterval: setIntervalFast,
    clearTimeout: clear(real.clearTimeout),
    clearInterval: clear(real.clearInterval),
  });

  return {
    get timers() {
      return pending.size;
    },
    pass: (ms) => {
      jumpedMs += ms;
      for (const [handle, timer] of [...pending]) {
        if (timer.ms < LONG_MS || timer.dueMs > now() || !pending.has(handle)) continue;
        if (timer.repeats === true) timer.dueMs = now() + timer.ms;
        else {
          pending.delete(handle);
          real.clearTimeout(handle);
        }
        timer.fire();
      }
    },
  };
}
