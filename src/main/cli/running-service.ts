/** The running service, for the commands that ask it: where it listens, and how a command ends that has no answer. */
import { addressesToTry } from '../observe/control-address.js';
import { loadSettings } from '../settings.js';
import { troubleText } from './service-state.js';

/** As LSB's init scripts: the service is not running. */
export const EXIT_NOT_RUNNING = 3;
/** sysexits.h: EX_NOPERM. */
export const EXIT_NOT_ALLOWED = 77;

/** Where it may listen by the configuration, the likeliest first; one that cannot be read or is wrong says nothing. */
export function socketsOf(confFile: string | undefined): readonly string[] {
  return addressesToTry(controlSocketOf(confFile), process.env);
}

/** Says that this user may not, and what to do. Returns the exit code. */
export function tellNotAllowed(): number {
  const { title, remedy } = troubleText('service-not-allowed');
  process.stderr.write(`dunebugger-remote: ${title}. ${remedy}\n`);
  return EXIT_NOT_ALLOWED;
}

function controlSocketOf(confFile: string | undefined): string {
  const ofEnvironment = process.env['DUNEBUGGER_STATUS_CONTROL_SOCKET'] ?? '';
  if (ofEnvironment !== '') return ofEnvironment;
  try {
    const where = confFile === undefined ? {} : { confFile };
    return loadSettings({ ...where, env: process.env, purpose: 'check' }).settings.controlSocket;
  } catch {
    return 'auto';
  }
}
