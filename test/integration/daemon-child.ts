/**
 * A process of its own: starts the daemon as `run` does, stops it on SIGTERM, and then has nothing more to do.
 * Nothing ends it: what the daemon leaves behind keeps it, and is then named.
 */
import { Daemon } from '../../src/main/daemon.js';
import { createLogger } from '../../src/main/log.js';
import { loadSettings } from '../../src/main/settings.js';
import { SystemdNotifier } from '../../src/main/systemd.js';

/** Within which the process must have ended of itself. */
const STOPPED_TO_END_MS = 5_000;

const [confFile = ''] = process.argv.slice(2);
const { settings } = loadSettings({ confFile, env: process.env });
const log = createLogger({ level: settings.dunebuggerLogLevel, format: 'terminal', secrets: [] });
const notifier = new SystemdNotifier({ env: process.env, log });
const daemon = new Daemon({ settings, log, notifier, version: '0.0.0' });

process.once('SIGTERM', () => {
  void daemon.stop().then(() => {
    log.info({}, 'Stopped');
    // Keeps nothing alive itself: it fires only if something else does.
    setTimeout(() => {
      log.error({ left: process.getActiveResourcesInfo().join(' ') }, 'Still alive');
      process.exit(1);
    }, STOPPED_TO_END_MS).unref();
  });
});
await daemon.start();
log.info({}, 'Started');
