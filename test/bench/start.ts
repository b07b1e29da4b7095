/**
 * How long the packed daemon takes from its start to READY, with bus, page and history, beside Node that does nothing: on a Pi's 64-bit system under
 * qemu-user, and in this Node. `npm run bench:start [-- ROUNDS]`, as root, with Debian's qemu-user-static and mmdebstrap. The times are an
 * emulation's; the ratio is what a Pi has in common with it. Each round starts each once, by turns.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { freePort } from '../support/free-port.js';
import { ensureDeb } from '../system/deb.js';
import { ARM64, ensureRoot } from '../system/root.js';
import { nodeArgsOfLauncher } from '../support/packaged.js';
import { table } from './numbers.js';
import { rounded, spread } from './statistics.js';

const ROUNDS = Number(process.argv[2] ?? '7');
const START_LIMIT_MS = 180_000;
const QEMU = 'qemu-aarch64-static';

type Command = readonly [program: string, ...args: string[]];

/** Milliseconds until it has ended. */
async function toEnd([program, ...args]: Command): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: 'ignore', timeout: START_LIMIT_MS, killSignal: 'SIGKILL' });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}`);
  return performance.now() - startedAt;
}

/** Milliseconds until it has told that it is ready, by the descriptor that stands for systemd's socket. */
async function toReady([program, ...args]: Command, env: Readonly<Record<string, string>>): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'] ?? '', NOTIFY_SOCKET: 'by descriptor', NOTIFY_FD: '3', ...env },
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    timeout: START_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const closed = once(child, 'close');
  const told = child.stdio[3] as Readable;
  let ms: number | undefined;
  let text = '';
  for await (const chunk of told) {
    text += String(chunk);
    if (!/^READY=1$/m.test(text)) continue;
    ms = performance.now() - startedAt;
    break;
  }
  child.kill('SIGKILL');
  await closed;
  if (ms === undefined) throw new Error(`${program} ended before it was ready`);
  return ms;
}

const folder = mkdtempSync(join(tmpdir(), 'bench-start-'));
try {
  const [deb, root] = await Promise.all([ensureDeb(), ensureRoot(ARM64)]);
  execFileSync('dpkg-deb', ['--extract', deb, folder]);
  const cli = join(folder, 'usr/lib/dunebugger-remote/dist/src/main/cli.js');
  const conf = join(folder, 'etc/dunebugger-remote/dunebugger.conf');
  const nodes: readonly { readonly name: string; readonly node: Command }[] = [
    { name: 'arm64 under qemu-user', node: [QEMU, '-L', root, join(root, 'usr/bin/node')] },
    { name: `${process.arch}, ${process.version}`, node: [process.execPath] },
  ];
  const env = {
    STATE_DIRECTORY: folder,
    MALLOC_ARENA_MAX: '1',
    NODE_ENV: 'production',
    WS_GROUP_NAME: 'velasquez',
    // Nobody answers there: whether there is internet plays no part in a start.
    WEBPUBSUB_NEGOTIATE_URL: 'http://127.0.0.1:9/negotiate',
    DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: '127.0.0.1:9',
    DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS: 'nats://127.0.0.1:9',
    DUNEBUGGER_STATUS_CONTROL_SOCKET: join(folder, 'control.sock'),
    DUNEBUGGER_STATUS_STATUS_PAGE: 'True',
    DUNEBUGGER_STATUS_STATUS_PORT: String(await freePort()),
  };
  const rows = [];
  for (const { name, node } of nodes) {
    const bare: number[] = [];
    const ready: number[] = [];
    // One more: what the first has to read from the disk is not counted.
    for (let round = 0; round <= ROUNDS; round += 1) {
      const bareMs = await toEnd([...node, '-e', '0']);
      const readyMs = await toReady([...node, ...nodeArgsOfLauncher(), cli, 'run', '--config', conf], env);
      if (round === 0) continue;
      bare.push(bareMs);
      ready.push(readyMs);
    }
    const of = (values: readonly number[]): number => spread(values)?.median ?? Number.NaN;
    rows.push([
      name,
      `${rounded(of(bare), 0)}`,
      `${rounded(of(ready), 0)}`,
      `${rounded(of(ready.map((ms, round) => ms / (bare[round] ?? Number.NaN))), 1)}`,
    ]);
  }
  process.stdout.write(
    `${table(['', 'node -e 0, ms', 'start to READY, ms', 'ratio'], rows)}\nMedians of ${ROUNDS} rounds.\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
