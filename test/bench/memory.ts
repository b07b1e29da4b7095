/**
 * What the resident memory of a daemon with bus, page, history and cloud is made of, after traffic and at rest: without any option of Node, with those of
 * the launcher, and with these and more, side by side. `npm run bench:memory [-- OPTION ...]`, some two minutes. Of the system's
 * Node, which is not Debian's: that has its libraries beside it, and some 8 MB more.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from '../support/ask.js';
import { startWatched } from '../support/watched-installation.js';
import { nodeArgsOfLauncher } from '../support/packaged.js';
import { table } from './numbers.js';
import { rounded } from './statistics.js';
import { usageOf } from './usage.js';

const TRAFFIC_MS = 20_000;
const SPACING_MS = 25;
/** V8 gives back what it does not need when it has had nothing to do for some seconds. */
const REST_MS = 60_000;
const SETTINGS = {
  MALLOC_ARENA_MAX: '1',
  NODE_ENV: 'production',
  DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '7',
};

const more = process.argv.slice(2);
const options = nodeArgsOfLauncher();
const variants: readonly (readonly [name: string, nodeArgs: readonly string[]])[] = [
  ['no options', []],
  ["the launcher's", options],
  ...(more.length === 0 ? [] : [[`and ${more.join(' ')}`, [...options, ...more]] as const]),
];

/** Megabytes (MiB), as the kernel counts them. */
function megabytes(pid: number, field: string): string {
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return rounded(Number(kilobytes) / 1_024).toFixed(1);
}

const installations = await Promise.all(
  variants.map(async ([name, nodeArgs]) => ({ name, ...(await startWatched(SETTINGS, nodeArgs)) })),
);
try {
  const pages = await Promise.all(installations.map(({ site }) => site.openPage()));
  const endMs = performance.now() + TRAFFIC_MS;
  for (let sent = 0; performance.now() < endMs; sent += 1) {
    const subject = sent % 10 === 0 ? 'controller.system_info' : 'controller.heartbeat';
    await Promise.all(pages.map((page) => page.send(subject, 'x'.repeat(1_000))));
    await delay(SPACING_MS);
  }
  for (const { port } of installations)
    for (const url of ['/', '/metrics', '/snapshot', '/outages.csv']) await ask(port, url);
  const row = (when: string): string[][] =>
    installations.map(({ name, site: { daemon } }) => [
      `${name}, ${when}`,
      ...['VmRSS', 'RssAnon', 'RssFile', 'VmHWM'].map((field) => megabytes(daemon.pid, field)),
      `${rounded(usageOf(daemon.pid).cpuMs, 0)}`,
    ]);
  const rows = row('after traffic');
  await delay(REST_MS);
  rows.push(...row('at rest'));
  process.stdout.write(
    `${table(['Node with', 'RSS, MB', 'its own', 'of files', 'most', 'CPU since the start, ms'], rows)}\n`,
  );
} finally {
  await Promise.all(installations.map(({ stop }) => stop()));
}
