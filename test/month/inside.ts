/**
 * Loaded into both threads of the daemon before it (`--import`): the fast clock, and a door by which somebody outside lets time pass and reads
 * what only the threads themselves know. `MONTH_DOOR`: the Unix socket; `MONTH_SPEED`, `MONTH_EPOCH_MS`: of the clock; `MONTH_LEAKS`: with each quarter of an hour something leaks on purpose.
 */
import { openSync } from 'node:fs';
import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { installFastClock } from './fast-clock.js';
import type { Inside, ThreadInside } from './sample.js';

const PASSED = 'MONTH_PASSED_MS';
const env = (name: string): string => process.env[name] ?? '';
const realSetInterval = globalThis.setInterval;
const clock = installFastClock({
  speed: Number(env('MONTH_SPEED')),
  epochMs: Number(env('MONTH_EPOCH_MS')),
  passedMs: Number(process.env[PASSED] ?? '0'),
});

type Said =
  | { readonly pass: number }
  | { readonly measure: number }
  | { readonly measured: number; readonly inside: ThreadInside };

const channel = new BroadcastChannel('month');
channel.unref();
const leaked: unknown[] = [];

/** What leaks on purpose in each thread: memory, a handle, and in the main thread a file and a timer. */
function leak(): void {
  leaked.push(
    someMemory(),
    realSetInterval(() => undefined, 2 ** 31 - 1),
  );
  if (isMainThread)
    leaked.push(
      openSync('/dev/null', 'r'),
      setTimeout(() => undefined, 2 ** 31 - 1),
    );
}

/** 32 kB. */
function someMemory(): number[] {
  return Array.from({ length: 4_096 }, () => Math.random());
}

function pass(ms: number): void {
  clock.pass(ms);
  if (env('MONTH_LEAKS') !== '') leak();
}

async function measure(): Promise<ThreadInside> {
  // What is to be finalised needs a turn of the loop before its memory goes.
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heapUsed, external, timers: clock.timers, resources: process.getActiveResourcesInfo() };
}

if (isMainThread) {
  let questions = 0;
  const waiting = new Map<number, (inside: ThreadInside) => void>();
  channel.onmessage = (event) => {
    const said = (event as { data: Said }).data;
    if ('measured' in said) waiting.get(said.measured)?.(said.inside);
  };
  const measureWorker = (): Promise<ThreadInside> =>
    new Promise((resolve) => {
      questions += 1;
      const id = questions;
      waiting.set(id, (inside) => {
        waiting.delete(id);
        resolve(inside);
      });
      channel.postMessage({ measure: id } satisfies Said);
    });
  let passedMs = 0;
  const server = createServer((request, response) => {
    response.setHeader('Connection', 'close');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://door');
    if (pathname === '/pass') {
      const ms = Number(searchParams.get('ms'));
      passedMs += ms;
      // A worker that starts later starts in the same time.
      process.env[PASSED] = String(passedMs);
      channel.postMessage({ pass: ms } satisfies Said);
      pass(ms);
      response.end();
    } else {
      void Promise.all([measureWorker(), measure()]).then(([worker, main]) => {
        response.end(JSON.stringify({ main, worker } satisfies Inside));
      });
    }
  });
  server.listen(env('MONTH_DOOR')).unref();
} else {
  channel.onmessage = (event) => {
    const said = (event as { data: Said }).data;
    if ('pass' in said) pass(said.pass);
    else if ('measure' in said)
      void measure().then((inside) => channel.postMessage({ measured: said.measure, inside } satisfies Said));
  };
}
