/**
 * The Debian packages that the tests need beside Node and npm: installed where they are missing and we are root, named where we are not.
 * `npm test` begins with this, so that a missing package is no failing test.
 */
import { spawnSync } from 'node:child_process';
import type { Group } from './groups.js';

/** By what needs them; a group names what it needs. */
export const PACKAGES = {
  bus: ['nats-server'],
  // A small C compiler: one megabyte in place of a hundred.
  refusals: ['tcc', 'libc6-dev'],
  lab: ['iproute2', 'nftables', 'iw', 'tcpdump', 'libfaketime', 'util-linux', 'tinyproxy-bin'],
  // The reference parser of OpenMetrics.
  metrics: ['python3-prometheus-client'],
  browser: ['chromium'],
  // The second imitates a power cut of a file system.
  cards: ['e2fsprogs', 'xfsprogs', 'mount'],
  machines: ['systemd-container', 'mmdebstrap', 'debian-archive-keyring', 'qemu-user-static', 'lintian', 'mandoc'],
} as const;

export type Needs = keyof typeof PACKAGES;

/** Tells the tests' reporter which reasons of a skipped test are no failure, one a line: `PACKAGE is not installed`. */
export const LEFT_OUT = 'TEST_LEFT_OUT';

/** Deadlines: a mirror may be slow; somebody is told when it is dead. */
const UPDATE_MS = 180_000;
const INSTALL_MS = 400_000;
const LOOK_MS = 10_000;

export type Prepared =
  | { readonly kind: 'ready' }
  /** Not root: these packages are missing. */
  | { readonly kind: 'missing'; readonly packages: readonly string[] }
  | { readonly kind: 'failed'; readonly why: string };

/** @param say takes a line for whoever watches */
export function prepare(groups: readonly Group[], isRoot: boolean, say: (line: string) => void): Prepared {
  const wanted = [...new Set(groups.flatMap(({ needs = [] }) => needs.flatMap((need) => PACKAGES[need])))];
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return { kind: 'ready' };
  if (!isRoot) return { kind: 'missing', packages: missing };
  say(`Installing what the tests need: ${missing.join(' ')}`);
  const options = ['-q', '-o', 'Acquire::Retries=3'];
  const steps = [
    { args: [...options, 'update'], timeout: UPDATE_MS },
    { args: [...options, '-y', '--no-install-recommends', 'install', ...missing], timeout: INSTALL_MS },
  ];
  for (const { args, timeout } of steps) {
    const ended = spawnSync('apt-get', args, {
      timeout,
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (ended.status !== 0) {
      const said = (ended.error?.message ?? `${ended.stdout}${ended.stderr}`).trim().slice(-2_000);
      return { kind: 'failed', why: `apt-get ${args.join(' ')} failed: ${said}` };
    }
  }
  return { kind: 'ready' };
}

function isInstalled(name: string): boolean {
  const asked = spawnSync('dpkg-query', ['-W', '-f', '${Status}', name], { timeout: LOOK_MS, encoding: 'utf8' });
  return asked.status === 0 && asked.stdout.endsWith(' installed');
}
