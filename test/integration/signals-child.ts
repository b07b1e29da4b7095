/** A process of its own with the daemon's signals, whose stop does as its argument says. */
import { onSignals } from '../../src/main/cli/signals.js';
import { createLogger } from '../../src/main/log.js';

const [how = ''] = process.argv.slice(2);
const log = createLogger({ level: 'DEBUG', format: 'terminal', secrets: [] });
const work = setInterval(() => undefined, 60_000);
let reloads = 0;

onSignals({
  log,
  stop: () => {
    clearInterval(work);
    if (how === 'rejects') return Promise.reject(new Error('cannot stop'));
    if (how === 'hangs') return new Promise(() => undefined);
    // Less than the time in which a second signal is the same wish.
    return new Promise((resolve) => setTimeout(resolve, 300));
  },
  reload: async () => {
    reloads += 1;
    log.info({ reloads }, 'Reload begins');
    await new Promise((resolve) => setTimeout(resolve, 50));
    log.info({ reloads }, 'Reload ends');
  },
});
log.info({}, 'Ready');
