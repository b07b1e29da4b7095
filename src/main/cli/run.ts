/** `dunebugger-remote run`: the daemon with its signals. */
import { startedByBoot, stateDirectoryOf } from '../boot.js';
import { Daemon } from '../daemon.js';
import { createLogger, type DaemonLogger } from '../log.js';
import { loadSettings, secretsOf, SettingsError, type LoadedSettings, type LoadOptions } from '../settings.js';
import { SystemdNotifier } from '../systemd.js';
import { onSignals } from './signals.js';

export interface RunOptions {
  readonly confFile?: string;
  readonly version: string;
}

/** Answers with an exit code if the daemon could not start; otherwise it runs until a signal ends the process. */
export function run({ version, ...where }: RunOptions): number | undefined {
  const load = (): LoadedSettings => loadSettings({ ...where, env: process.env } satisfies LoadOptions);
  let loaded;
  try {
    loaded = load();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const log = createLogger({ level: 'INFO', format: 'auto', secrets: [] });
    complain(error, log);
    // At info: `journalctl -p err` shows what is wrong, and nothing else.
    log.info({ exitCode: error.exitCode }, 'Not started: correct the above, then start again');
    log.flush();
    return error.exitCode;
  }

  const { settings, sources } = loaded;
  const log = createLogger({
    level: settings.dunebuggerLogLevel,
    format: settings.logFormat,
    secrets: secretsOf(settings),
  });
  const notifier = new SystemdNotifier({ env: process.env, log });
  const stateDirectory = stateDirectoryOf(process.env);
  const boot = startedByBoot(process.env, stateDirectory);
  const daemon = new Daemon({ settings, log, notifier, version, boot, stateDirectory });
  // Before the first line: whoever has seen the daemon start may stop it or reload it.
  const fail = onSignals({ log, stop: () => daemon.stop(), reload: () => reload(load, daemon, log) });

  log.info(
    { version, node: process.versions.node, conf: sources.confFile ?? 'none', env: sources.envFile ?? 'none' },
    'DuneBugger Remote starts',
  );
  tell(loaded, log);
  // A daemon that did not start is of no use, whatever was refused: systemd starts another.
  daemon.start().catch(fail);
  return undefined;
}

async function reload(load: () => LoadedSettings, daemon: Daemon, log: DaemonLogger): Promise<void> {
  let loaded;
  try {
    loaded = load();
  } catch (error) {
    complain(error, log);
    log.error(
      {},
      'Not reloaded: everything goes on with the configuration from before; correct the above, then reload again',
    );
    return;
  }
  for (const secret of secretsOf(loaded.settings)) log.addSecret(secret);
  tell(loaded, log);
  await daemon.reload(loaded.settings);
}

/** What is wrong, and before it what was ignored: a misspelt key often explains a missing one. */
function complain(error: unknown, log: DaemonLogger): void {
  const { problems, warnings } =
    error instanceof SettingsError ? error : { problems: [String(error)], warnings: [] as readonly string[] };
  for (const warning of warnings) log.warn({}, `Configuration: ${warning}`);
  for (const problem of problems) log.error({}, `Configuration: ${problem}`);
}

function tell({ warnings, notices }: LoadedSettings, log: DaemonLogger): void {
  for (const warning of warnings) log.warn({}, `Configuration: ${warning}`);
  for (const notice of notices) log.info({}, `Configuration: ${notice}`);
}
