/** Preloaded into the daemon (`--import`): SIGUSR1 throws out of an event handler, SIGWINCH leaves a promise rejected. */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.on('SIGUSR1', () => {
    throw new Error('thrown for the test');
  });
  process.on('SIGWINCH', () => {
    void Promise.reject(new Error('rejected for the test'));
  });
}
