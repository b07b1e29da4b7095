/**
 * A process of its own: starts the daemon as `run` does, stops it on SIGTERM, and then has nothing more to do.
 * Nothing ends it: whatever the daemon leaves behind keeps it.
 */
import { Daemon } from '../../src/main/daemon.js';
import { createLogger } from '../../src/main/log.js';
import { loadSettings } from '../../src/main/settings.js';
import { SystemdNotifier } from '../../src/main/systemd.js';

const [confFile = ''] = process.argv.slice(2);
const { settings } = loadSettings({ confFile, env: process.env });
const log = createLogger({ level: settings.dunebuggerLogLevel, format: 'terminal', secrets: [] });
const notifier = new SystemdNotifier({ env: process.env, log });
const daemon = new Daemon({ settings, log, notifier, version: '0.0.0' });

process.once('SIGTERM', () => {
  void daemon.stop().then(() => {
    log.info({ left: process.getActiveResourcesInfo().join(' ') }, 'Stopped');
  });
});
await daemon.start();
log.info({}, 'Started');
