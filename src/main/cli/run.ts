/** `dunebugger-remote run`: the daemon with its signals. */
import closeWithGrace from 'close-with-grace';
import { Daemon } from '../daemon.js';
import { createLogger, type DaemonLogger } from '../log.js';
import { loadSettings, secretsOf, SettingsError, type LoadedSettings, type LoadOptions } from '../settings.js';
import { SystemdNotifier } from '../systemd.js';

/** The time within which the process ends after SIGTERM. */
const STOP_DEADLINE_MS = 5_000;

export interface RunOptions {
  readonly confFile?: string;
  readonly version: string;
}

/** Resolves with an exit code if the daemon could not start; otherwise it runs until a signal ends the process. */
export async function run({ version, ...where }: RunOptions): Promise<number | undefined> {
  const load = (): LoadedSettings => loadSettings({ ...where, env: process.env } satisfies LoadOptions);
  let loaded;
  try {
    loaded = load();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const log = createLogger({ level: 'INFO', format: 'auto', secrets: [] });
    for (const problem of error.problems) log.error({}, `Configuration: ${problem}`);
    log.error({ exitCode: error.exitCode }, 'Not started: correct the above, then start again');
    log.flush();
    return error.exitCode;
  }

  const { settings, sources } = loaded;
  const log = createLogger({
    level: settings.dunebuggerLogLevel,
    format: settings.logFormat,
    secrets: secretsOf(settings),
  });
  log.info(
    { version, node: process.versions.node, conf: sources.confFile ?? 'none', env: sources.envFile ?? 'none' },
    'DuneBugger Remote starts',
  );
  tell(loaded, log);

  const notifier = new SystemdNotifier({ env: process.env, log });
  const daemon = new Daemon({ settings, log, notifier, version });
  closeWithGrace(
    {
      delay: STOP_DEADLINE_MS,
      skip: ['SIGHUP'],
      logger: { error: (problem: unknown) => log.error({ problem: String(problem) }, 'While stopping') },
    },
    async ({ err, signal }) => {
      if (err !== undefined)
        log.fatal({ err }, 'An error nobody caught: stopping, and systemd starts this service again');
      else log.info({ signal: signal ?? 'none' }, 'Stopping');
      process.removeListener('SIGHUP', onHangUp);
      await daemon.stop();
      log.info({}, 'Stopped');
      log.flush();
    },
  );

  // One reload at a time, and at most one waiting: the last configuration counts.
  let reloading = Promise.resolve();
  let waiting = false;
  const onHangUp = (): void => {
    if (waiting) return;
    waiting = true;
    reloading = reloading.then(async () => {
      waiting = false;
      await reload(load, daemon, log);
    });
  };
  process.on('SIGHUP', onHangUp);

  await daemon.start();
  return undefined;
}

async function reload(load: () => LoadedSettings, daemon: Daemon, log: DaemonLogger): Promise<void> {
  let loaded;
  try {
    loaded = load();
  } catch (error) {
    const problems = error instanceof SettingsError ? error.problems : [String(error)];
    for (const problem of problems) log.error({}, `Configuration: ${problem}`);
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

function tell({ warnings, notices }: LoadedSettings, log: DaemonLogger): void {
  for (const warning of warnings) log.warn({}, `Configuration: ${warning}`);
  for (const notice of notices) log.info({}, `Configuration: ${notice}`);
}
