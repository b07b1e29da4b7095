/** Asks NetworkManager whether the line is metered, by a child that ends at its deadline: no library, and no process where it does not run. */
import { existsSync } from 'node:fs';
import { runProgram, type ProgramRun } from '../base/run-program.js';

/** `unknown`: NetworkManager does not run, or cannot be asked; `why` is set in the second case. */
export type MeteredWord =
  | { readonly kind: 'metered' | 'unmetered'; readonly guessed: boolean }
  | { readonly kind: 'unknown'; readonly why?: string };

/** Made by NetworkManager at its start (file-hierarchy of NetworkManager(8)). */
const RUNS = '/run/NetworkManager';
const BUSCTL_MS = 3_000;
/** `Metered` of the manager is that of the device of the primary connection; reading needs no authorisation. It is not started for the question. */
const QUESTION = [
  '--system',
  '--auto-start=no',
  'get-property',
  'org.freedesktop.NetworkManager',
  '/org/freedesktop/NetworkManager',
  'org.freedesktop.NetworkManager',
  'Metered',
] as const;

export interface NetworkManagerSources {
  readonly runs: () => boolean;
  readonly run: (file: string, args: readonly string[]) => Promise<ProgramRun>;
}

const REAL: NetworkManagerSources = {
  runs: () => existsSync(RUNS),
  run: (file, args) => runProgram(file, args, BUSCTL_MS),
};

/** Never rejects; within 3 s. */
export async function askNetworkManager({ runs, run }: NetworkManagerSources = REAL): Promise<MeteredWord> {
  if (!runs()) return { kind: 'unknown' };
  const asked = await run('busctl', QUESTION);
  if (asked.ok) return wordOf(asked.stdout);
  const said = asked.stderr.trim().split('\n')[0] ?? '';
  return { kind: 'unknown', why: said === '' ? 'busctl cannot be run, or does not answer' : said.slice(0, 200) };
}

/** NMMetered of NetworkManager's D-Bus API, as busctl writes it: `u 4`. */
function wordOf(stdout: string): MeteredWord {
  switch (/^u (\d)\s*$/.exec(stdout)?.[1]) {
    case '1':
      return { kind: 'metered', guessed: false };
    case '2':
      return { kind: 'unmetered', guessed: false };
    case '3':
      return { kind: 'metered', guessed: true };
    case '4':
      return { kind: 'unmetered', guessed: true };
    case '0':
      return { kind: 'unknown' };
    default:
      return { kind: 'unknown', why: 'its answer makes no sense' };
  }
}
