/**
 * Debian roots for the machines of these tests, made with mmdebstrap on the first run and kept for the next ones.
 * The mirror is the one this machine's own apt uses.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Debian's releases that the package is for, by their names: 12 has systemd 252 and no Node that is new enough, 13 has 257 and Node 20. */
export type Debian = 'bookworm' | 'trixie';

/** The tests cannot run here; the message says what is missing. */
export class SystemTestsUnavailableError extends Error {
  readonly code = 'ERR_SYSTEM_TESTS_UNAVAILABLE';
  override readonly name = 'SystemTestsUnavailableError';
}

export interface RootRecipe {
  readonly name: string;
  readonly debian: Debian;
  /** Debian's name of the architecture. Default: this machine's. */
  readonly architecture?: string;
  /** mmdebstrap's: `apt` is a system that can boot, `extract` only unpacked files, of any architecture. */
  readonly variant: 'apt' | 'extract';
  readonly include: readonly string[];
  /** Packages that lie ready to be installed without a network. Each for itself, since some exclude each other. */
  readonly ready?: readonly string[];
}

/** `passwd` is required in Debian, so that no system is without it but one made by hand. */
const BASE = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'ca-certificates', 'passwd'];

/** Who says whether a line is metered, and what lets it be asked. */
const METERED = ['network-manager', 'libnss-systemd'];

/** What Raspberry Pi OS is made of, with what a machine needs to boot, and with Debian's own Node where that is new enough. */
export const BOOTABLE: Readonly<Record<Debian, RootRecipe>> = {
  trixie: {
    name: 'bootable',
    debian: 'trixie',
    variant: 'apt',
    include: [...BASE, 'nodejs'],
    ready: [
      ...['systemd-timesyncd', 'chrony'],
      ...['avahi-daemon', 'libnss-mdns', 'libnss-myhostname', 'systemd-resolved', 'libnss-resolve'],
      ...METERED,
    ],
  },
  bookworm: { name: 'bookworm', debian: 'bookworm', variant: 'apt', include: BASE, ready: ['nodejs', ...METERED] },
};

/** Files of a Raspberry Pi's 64-bit system: enough to run Node under qemu-user. */
export const ARM64: RootRecipe = {
  name: 'arm64',
  debian: 'trixie',
  architecture: 'arm64',
  variant: 'extract',
  include: ['base-files', 'nodejs', 'ca-certificates'],
};

/** Debian's archive may be slow. */
const BUILD_DEADLINE_MS = 540_000;

/**
 * The folder of what is costly to make, kept between runs.
 * @throws SystemTestsUnavailableError if somebody else has a folder of that name
 */
export function cacheFolder(): string {
  const folder = join(tmpdir(), 'dunebugger-remote-system-tests');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // The folder of all users: what another one has put there must not be run as root.
  if (statSync(folder).uid !== process.getuid?.()) {
    throw new SystemTestsUnavailableError(`${folder} belongs to somebody else: remove it`);
  }
  return folder;
}

/** Folder of a root made after a recipe. Makes it if this machine has none; another run that makes it is waited for. */
export async function ensureRoot(recipe: RootRecipe): Promise<string> {
  const cache = cacheFolder();
  const mirror = await debianMirror();
  const plan = planOf(recipe);
  const key = createHash('sha256')
    .update(JSON.stringify([plan, mirror]))
    .digest('hex')
    .slice(0, 12);
  const root = join(cache, `root-${recipe.name}-${key}`);
  if (existsSync(root)) {
    // In use.
    utimesSync(root, new Date(), new Date());
    return root;
  }
  await underLock(`root-${recipe.name}`, [
    `[ ! -e '${root}' ] || exit 0`,
    // Half roots of killed runs, and what no run has used for a day.
    `rm -rf --one-file-system '${cache}/root-${recipe.name}-'*.part`,
    `find '${cache}' -maxdepth 1 -name 'root-${recipe.name}-*' -mmin +1440 -exec rm -rf --one-file-system {} +`,
    // Made aside and moved when whole.
    `mmdebstrap --quiet ${plan.map((argument) => `'${argument}'`).join(' ')} '${root}.part' '${mirror}'`,
    `touch '${root}.part'`,
    `mv '${root}.part' '${root}'`,
  ]);
  return root;
}

function planOf({ debian, architecture, variant, include, ready = [] }: RootRecipe): readonly string[] {
  return [
    '--mode=root',
    `--variant=${variant}`,
    ...(architecture === undefined ? [] : [`--architectures=${architecture}`]),
    `--include=${include.join(',')}`,
    ...ready.map(
      (name) =>
        `--customize-hook=APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --yes --quiet --download-only --no-install-recommends install ${name}`,
    ),
    // With its packages and lists left in place, so that apt can install Node there without a network.
    ...(variant === 'apt'
      ? ['--skip=cleanup/apt/cache,cleanup/apt/lists', '--customize-hook=: > "$1/etc/resolv.conf"']
      : []),
    '--components=main',
    debian,
  ];
}

/** Runs lines of shell one run at a time; every line must succeed. */
export async function underLock(name: string, lines: readonly string[]): Promise<void> {
  const lock = join(cacheFolder(), `${name}.lock`);
  try {
    await execFileAsync('flock', ['--wait', '600', lock, 'sh', '-euc', lines.join('\n')], {
      timeout: BUILD_DEADLINE_MS,
      maxBuffer: 16 << 20,
    });
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    throw new Error(`${name}: ${stderr === undefined || stderr === '' ? String(cause) : stderr.slice(-4_000)}`, {
      cause,
    });
  }
}

/** @throws SystemTestsUnavailableError if apt has no source of Debian's own archive */
async function debianMirror(): Promise<string> {
  const { stdout } = await execFileAsync('apt-get', ['indextargets', '--format', '$(LABEL)|$(REPO_URI)']);
  const line = stdout.split('\n').find((text) => text.startsWith('Debian|'));
  if (line === undefined) {
    throw new SystemTestsUnavailableError(
      "this machine's apt has no source of Debian's archive, or no lists of it yet: run `apt-get update` once",
    );
  }
  return line.slice('Debian|'.length);
}

/**
 * Looks at what the tests stand on.
 * @throws SystemTestsUnavailableError naming what is missing: a failure, not a reason to skip
 */
export async function requireSystemTests(): Promise<void> {
  if (process.platform !== 'linux') throw new SystemTestsUnavailableError('the system tests need Linux');
  if (process.getuid?.() !== 0) {
    throw new SystemTestsUnavailableError(
      'the system tests boot containers: run them as root (sudo npm run test:system)',
    );
  }
  for (const [command, debian] of [
    ['systemd-nspawn', 'systemd-container'],
    ['mmdebstrap', 'mmdebstrap'],
    ['dpkg-deb', 'dpkg'],
  ] as const) {
    await execFileAsync(command, ['--version']).catch((cause: unknown) => {
      throw new SystemTestsUnavailableError(`the system tests need \`${command}\` (Debian: ${debian})`, { cause });
    });
  }
}
