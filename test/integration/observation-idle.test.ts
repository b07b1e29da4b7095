/** Nothing happens each second while nobody asks: the timers of all outlets together, as Node itself counts them. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { Observation } from '../../src/main/observe/observation.js';
import { ask, sayBare } from '../support/ask.js';
import { freePort } from '../support/free-port.js';
import { HEALTHY } from '../support/parts.js';
import { RecordedLog } from '../support/recorded-log.js';

/** Delays of the timers that run, milliseconds; those of Node's own modules, too. */
class Timers {
  readonly #running = new Map<number, number>();
  readonly #hook = createHook({
    init: (id, type, _trigger, resource) => {
      const { _idleTimeout: ms } = resource as { readonly _idleTimeout?: number };
      if (type === 'Timeout' && ms !== undefined) this.#running.set(id, ms);
    },
    destroy: (id) => void this.#running.delete(id),
  });

  start(): void {
    this.#hook.enable();
  }

  stop(): void {
    this.#hook.disable();
  }

  get shortest(): number {
    return Math.min(Infinity, ...this.#running.values());
  }
}

const DEADLINE_MS = 20_000;

/** Without a timer of its own. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const startedAt = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - startedAt < DEADLINE_MS, `waited in vain: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

class PlainLog extends RecordedLog {
  redact(text: string): string {
    return text;
  }
}

describe('socket, history, page and metrics', () => {
  it('have no timer under a quarter of an hour while nobody asks: before the first, and after the last', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'idle-'));
    const port = await freePort();
    const timers = new Timers();
    timers.start();
    const observation = new Observation({
      parts: () => HEALTHY,
      standing: () => undefined,
      lookNow: () => Promise.resolve(),
      settings: () => ({ settings: {}, ofEnvironment: [] }),
      controlSocket: path.join(directory, 'control.sock'),
      page: { port, listen: 'loopback' },
      env: {},
      log: new PlainLog(),
      version: '1.0.0',
      stateDirectory: directory,
    });
    await observation.start();
    const idle = (): boolean => timers.shortest >= 900_000;
    await until(idle, 'rest after the start');

    for (const url of ['/', '/metrics', '/snapshot', '/outages']) assert.equal((await ask(port, url)).status, 200, url);
    await until(idle, 'rest after questions');

    const watching = await sayBare(port, 'GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until(() => timers.shortest <= 2_000, 'a timer while somebody watches');
    watching.destroy();
    await until(idle, 'rest after the last one has gone');

    await observation.stop();
    await until(() => timers.shortest === Infinity, 'no timer once it is stopped');
    timers.stop();
    await rm(directory, { recursive: true, force: true });
  });
});
