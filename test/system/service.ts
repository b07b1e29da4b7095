/** A machine with the service installed, and what every test of it asks. */
import { registerSecret } from '../support/everything-logged.js';
import { fileURLToPath } from 'node:url';
import { ensureDeb, ensureNodeDeb } from './deb.js';
import { Machine, type BootOptions } from './machine.js';
import type { Debian } from './root.js';

export const UNIT = 'dunebugger-remote.service';
export const CONF = '/etc/dunebugger-remote/dunebugger.conf';
export const ENVIRONMENT = '/etc/dunebugger-remote/environment';

/** The Node that the service runs in. */
export const NODE_OF: Readonly<Record<Debian, string>> = {
  bookworm: '/usr/lib/dunebugger-remote-node/node',
  trixie: '/usr/bin/node',
};

const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJl';
registerSecret(TOKEN);

/** Enough of a configuration to start with; nobody answers at that URL. */
export const SIGN_IN = [
  'WS_GROUP_NAME=velasquez',
  `WEBPUBSUB_CLIENT_URL="wss://127.0.0.1:1/client/hubs/dune?access_token=${TOKEN}"`,
  '',
].join('\n');

export interface ServiceOptions extends BootOptions {
  /** Content of the file with the environment. Default: {@link SIGN_IN}. */
  readonly environment?: string;
  /** Lines for the unit's [Service] section, as `systemctl edit` adds them. */
  readonly dropIn?: readonly string[];
  /** More to put there before the package is installed. */
  readonly prepare?: (machine: Machine) => Promise<void>;
}

/** Boots a machine and installs the package there by apt. */
export async function machineWithService(options: ServiceOptions = {}): Promise<Machine> {
  const debs = [await ensureDeb(), ...(options.debian === 'bookworm' ? [await ensureNodeDeb()] : [])];
  const machine = await Machine.boot(options);
  try {
    await machine.write(ENVIRONMENT, options.environment ?? SIGN_IN, '600');
    if (options.dropIn !== undefined) await addDropIn(machine, 'test', options.dropIn);
    await options.prepare?.(machine);
    await machine.install(...debs);
    return machine;
  } catch (error) {
    await machine.stop();
    throw error;
  }
}

export async function addDropIn(machine: Machine, name: string, lines: readonly string[]): Promise<void> {
  await machine.write(`/etc/systemd/system/${UNIT}.d/${name}.conf`, `[Service]\n${lines.join('\n')}\n`);
}

export async function mainPid(machine: Machine): Promise<number> {
  return Number(await machine.show('MainPID'));
}

/** Resolves with the new process's number when the service is active in another process than `oldPid`. */
export async function restarted(machine: Machine, oldPid: number, deadlineMs = 60_000): Promise<number> {
  return machine.until(
    'the service is active again in a new process',
    async () => {
      const pid = await mainPid(machine);
      return pid !== 0 && pid !== oldPid && (await machine.show('ActiveState')) === 'active' ? pid : undefined;
    },
    deadlineMs,
  );
}

/** Runs an expression in the main or the worker thread of the service. */
export async function evaluateIn(machine: Machine, thread: 'main' | 'worker', expression: string): Promise<void> {
  await machine.sh(`kill -USR1 ${await mainPid(machine)}`);
  const script = fileURLToPath(new URL('./inspector-main.js', import.meta.url));
  await machine.runInNetwork(process.execPath, [script, thread, expression]);
}
