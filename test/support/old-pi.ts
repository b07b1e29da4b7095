/** A Pi with the Python version on it, as files below a folder, with stand-ins of `docker` and `systemctl`; and `migrate` let loose on it. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { move, type MigrateOptions } from '../../src/main/cli/migrate.js';
import { runCommandsIn, type RunCommand } from '../../src/main/cli/migrate/commands.js';
import { Files } from '../../src/main/cli/migrate/files.js';
import { SHIPPED_CONF } from '../../src/main/settings.js';
import { containerOf, standIn, type StandInState } from './docker-stand-in.js';
import { gatherLine, registerSecret } from './everything-logged.js';
import { SECRETS } from './installation.js';
import type { Layout } from './python-layouts.js';

/** Compiled to dist/test/support/. */
const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const STAND_IN = fileURLToPath(new URL('./docker-stand-in.js', import.meta.url));

for (const secret of Object.values(SECRETS)) registerSecret(secret);

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OldPiOptions {
  /** Default: with both containers running, as Docker Compose made them. */
  readonly docker?: 'running' | 'absent' | 'without-compose';
  /** Default: the package is installed, as it comes. */
  readonly installed?: boolean;
  /** The stand-ins are processes, found on the PATH. Default: they are asked in this process, which is quicker. */
  readonly processes?: boolean;
}

/** In memory, if there is such a place: each file is synced, and disks differ in how long that takes. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Instead of an exit code. */
export const POWER_CUT = -1;

class PowerCutError extends Error {}

class Power {
  #left: number;

  constructor(cutAt: number) {
    this.#left = cutAt;
  }

  /** Throws from the cut on. */
  use(): void {
    if (this.#left <= 0) throw new PowerCutError();
    this.#left -= 1;
  }
}

class FilesUnderPower extends Files {
  readonly #power: Power;

  constructor(root: string, power: Power) {
    super(root);
    this.#power = power;
  }

  override write(...of: Parameters<Files['write']>): void {
    this.#power.use();
    super.write(...of);
  }

  override remove(path: string): void {
    this.#power.use();
    super.remove(path);
  }
}

export class OldPi {
  readonly root: string;
  readonly layout: Layout;
  readonly #aside: string;
  readonly #processes: boolean;
  readonly #commands: readonly string[];

  constructor(layout: Layout, { docker = 'running', installed = true, processes = false }: OldPiOptions = {}) {
    this.layout = layout;
    this.#processes = processes;
    this.#commands = docker === 'absent' ? ['systemctl'] : ['docker', 'systemctl'];
    this.root = mkdtempSync(path.join(MEMORY, 'old-pi-'));
    this.#aside = mkdtempSync(path.join(tmpdir(), 'old-pi-bin-'));
    for (const [file, text] of layout.files) this.write(file, text);
    if (installed) {
      this.write('/etc/dunebugger-remote/dunebugger.conf', readFileSync(SHIPPED_CONF));
      this.write(
        '/etc/dunebugger-remote/environment',
        readFileSync(path.join(CHECKOUT, 'conf/dunebugger-remote.env.example')),
        0o600,
      );
      this.write('/usr/lib/systemd/system/dunebugger-remote.service', '[Service]\n');
    }
    for (const name of this.#commands) {
      const script = path.join(this.#aside, 'bin', name);
      mkdirSync(path.dirname(script), { recursive: true });
      writeFileSync(script, `#!/bin/sh\nexec '${process.execPath}' '${STAND_IN}' '${this.#aside}' ${name} "$@"\n`);
      chmodSync(script, 0o755);
    }
    const { composeFile, service, scheduler } = layout;
    const origin = { file: composeFile, folder: path.posix.dirname(composeFile), project: 'pi' };
    const made = [
      [service, 'dunebugger-remote'],
      [scheduler, 'dunebugger-scheduler'],
    ].map(([name = '', container = '']) => {
      const image = `ghcr.io/marco-svitol/${container}:1.4.0`;
      return containerOf(name, { image, container_name: container, restart: 'unless-stopped' }, origin);
    });
    if (docker === 'without-compose') for (const { Config } of made) Config.Labels = {};
    this.state = {
      root: this.root,
      yamlFrom: path.join(CHECKOUT, 'package.json'),
      troubles: {},
      containers: docker === 'absent' ? [] : made,
      service: { ActiveState: 'failed', UnitFileState: 'enabled' },
    };
  }

  /** What the stand-ins keep. */
  get state(): StandInState {
    return JSON.parse(readFileSync(path.join(this.#aside, 'state.json'), 'utf8')) as StandInState;
  }

  set state(state: StandInState) {
    writeFileSync(path.join(this.#aside, 'state.json'), JSON.stringify(state));
  }

  change(change: (state: StandInState) => void): void {
    const { state } = this;
    change(state);
    this.state = state;
  }

  /** What was asked of the stand-ins that changes something, oldest first. */
  get changes(): readonly string[] {
    const calls = path.join(this.#aside, 'calls');
    const all = existsSync(calls) ? readFileSync(calls, 'utf8').trimEnd().split('\n') : [];
    return all.filter(
      (call) => !/^(?:docker (?:ps|inspect|compose (?:version|.* config -q))|systemctl show)/.test(call),
    );
  }

  /** Names of the containers, with `+` if running and `-` if not. */
  get containers(): readonly string[] {
    return this.state.containers.map(({ Name, State }) => `${State.Running ? '+' : '-'}${Name.slice(1)}`).sort();
  }

  /**
   * Runs it, and sees to it that it tells nobody a secret.
   * @param cutAt after so many changes of files and questions to commands nothing works any more, as after a power cut
   * @param where `card`: as on another machine, where the Pi's card is mounted
   */
  async migrate(
    does: MigrateOptions['does'],
    where: 'here' | 'card' = 'here',
    { isRoot = true, cutAt = Infinity }: { readonly isRoot?: boolean; readonly cutAt?: number } = {},
  ): Promise<Ran> {
    let stdout = '';
    let stderr = '';
    const run = this.#processes ? runCommandsIn({ PATH: path.join(this.#aside, 'bin') }) : this.#ask;
    const power = new Power(cutAt);
    const code = await move(does, {
      files: new FilesUnderPower(this.root, power),
      run:
        where === 'here'
          ? (...command) => {
              power.use();
              return run(...command);
            }
          : undefined,
      isRoot,
      say: (line) => (stdout += `${line}\n`),
      complain: (line) => (stderr += `${line}\n`),
    }).catch((error: unknown) => {
      if (!(error instanceof PowerCutError)) throw error;
      return POWER_CUT;
    });
    for (const line of `${stdout}${stderr}`.split('\n')) gatherLine('migrate', line);
    for (const secret of Object.values(SECRETS))
      assert.ok(!`${stdout}${stderr}`.includes(secret), `a secret is told: ${stdout}`);
    return { code, stdout, stderr };
  }

  readonly #ask: RunCommand = (name, args, { deadlineMs = 30_000, input = '' } = {}) => {
    if (!this.#commands.includes(name)) return Promise.resolve({ kind: 'missing' });
    appendFileSync(path.join(this.#aside, 'calls'), `${[name, ...args].join(' ')}\n`);
    const { state } = this;
    const answer = standIn(state, name, args, input);
    if (answer === undefined) return Promise.resolve({ kind: 'hung', deadlineMs });
    this.state = state;
    return Promise.resolve({ kind: 'ended', ...answer });
  };

  read(file: string): string {
    return readFileSync(path.join(this.root, file), 'utf8');
  }

  exists(file: string): boolean {
    return existsSync(path.join(this.root, file));
  }

  mode(file: string): string {
    return (statSync(path.join(this.root, file)).mode & 0o7777).toString(8);
  }

  write(file: string, content: string | Uint8Array, mode = 0o644): void {
    const real = path.join(this.root, file);
    mkdirSync(path.dirname(real), { recursive: true });
    writeFileSync(real, content, { mode });
  }

  remove(file: string): void {
    rmSync(path.join(this.root, file), { recursive: true, force: true });
  }

  /** All files with their modes and contents, to be compared. */
  snapshot(): ReadonlyMap<string, string> {
    const entries = readdirSync(this.root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    return new Map(
      files
        .map((file) => file.slice(this.root.length))
        .sort()
        .map((file) => [file, `${this.mode(file)} ${this.read(file)}`]),
    );
  }

  dispose(): void {
    for (const folder of [this.root, this.#aside]) rmSync(folder, { recursive: true, force: true });
  }
}
