/** Why nobody answers: what systemd and the kernel say of the service. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { TROUBLES, type TroubleCode } from '../troubles.js';
import type { Asked } from './ask.js';

/** What `systemctl show` says; empty where there is no systemd or no such unit. */
export type UnitProperties = Readonly<Record<string, string>>;

const PROPERTIES = ['LoadState', 'ActiveState', 'SubState', 'ExecMainStatus', 'MainPID', 'StatusText'];
/** sysexits.h: EX_CONFIG. */
const EXIT_CONFIG = '78';

/** The trouble behind no answer. Pure. `processState`: the letter of proc_pid_stat(5), undefined if unknown. */
export function whyNoAnswer(
  asked: Exclude<Asked['kind'], 'answer'>,
  unit: UnitProperties,
  processState: string | undefined,
): TroubleCode {
  if (asked === 'refused') return 'service-not-allowed';
  if (asked === 'silent') return processState === 'T' || processState === 't' ? 'service-suspended' : 'service-silent';
  if (unit['LoadState'] !== 'loaded') return 'service-absent';
  switch (unit['ActiveState']) {
    case 'active':
    case 'reloading':
      return 'service-unasked';
    case 'activating':
    case 'deactivating':
      return 'service-starting';
    case 'failed':
      return unit['ExecMainStatus'] === EXIT_CONFIG ? 'service-misconfigured' : 'service-failed';
    default:
      return 'service-stopped';
  }
}

/** Never rejects; resolves within `timeoutMs`. A property that comes several times has a line for each. */
export async function askSystemd(timeoutMs: number, more: readonly string[] = []): Promise<UnitProperties> {
  const args = ['show', 'dunebugger-remote.service', `--property=${[...PROPERTIES, ...more].join(',')}`];
  const said = await new Promise<string>((resolve) => {
    execFile('systemctl', args, { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1 << 16 }, (error, stdout) =>
      resolve(error === null ? stdout : ''),
    );
  });
  const properties: Record<string, string> = {};
  for (const line of said.split('\n')) {
    const at = line.indexOf('=');
    if (at < 1) continue;
    const [name, value] = [line.slice(0, at), line.slice(at + 1)];
    const before = properties[name];
    properties[name] = before === undefined ? value : `${before}\n${value}`;
  }
  return properties;
}

/** Of proc_pid_stat(5): `R`, `S`, `T` (suspended) …; undefined if there is no such process, or it is hidden. */
export async function processStateOf(pid: string | undefined): Promise<string | undefined> {
  if (pid === undefined || !/^[1-9]\d*$/.test(pid)) return undefined;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return /^\d+ \(.*\) (\S)/s.exec(stat)?.[1];
}

/** Title, meaning and remedy, for a terminal. */
export function troubleText(code: TroubleCode): { title: string; meaning: string; remedy: string } {
  const { title, meaning, remedy } = TROUBLES[code];
  return { title, meaning: meaning.replaceAll('`', ''), remedy: remedy.replaceAll('`', '') };
}
