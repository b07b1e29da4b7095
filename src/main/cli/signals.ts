/** What ends the daemon's process, and what reloads it: signals, errors that nobody caught, an event loop without work. */
import closeWithGrace from 'close-with-grace';
import type { DaemonLogger } from '../log.js';
import { NONE_REFUSED, outlive } from './refused-calls.js';

/** What `stop` may take before the process is ended without it, milliseconds: with what goes before and after, 5 s in all. */
const STOP_DEADLINE_MS = 4_500;
/** `npm start` and a terminal both pass one Ctrl-C on: a second signal so soon after the first is the same wish. */
const SAME_WISH_MS = 500;

export interface SignalsOptions {
  readonly log: DaemonLogger;
  /** Ends everything, on SIGTERM, on SIGINT and after an error nobody caught. */
  readonly stop: () => Promise<void>;
  /** Reads the configuration again, on SIGHUP. One at a time; while one runs at most one waits, and the last file counts. */
  readonly reload: () => Promise<void>;
}

/**
 * Takes over the process's signals and uncaught errors until its end; the answer ends it because of an error, as an uncaught one does. Exit
 * codes: 0 after a signal, 1 after an error, after a stop that takes longer than its deadline, and after a second signal.
 */
export function onSignals({ log, stop, reload }: SignalsOptions): (error: unknown) => void {
  let stopping = false;
  let fatal: { readonly error: unknown } | undefined;
  let refused = NONE_REFUSED;
  let asked: { readonly signal: NodeJS.Signals; readonly atMs: number } | undefined;
  const end = (): never => {
    log.flush();
    process.exit(1);
  };

  const grace = closeWithGrace(
    {
      delay: STOP_DEADLINE_MS,
      // These are ours, below: close-with-grace ends the process at the second signal, however soon it comes, and at any error.
      skip: ['SIGHUP', 'SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection'],
      logger: { error: (problem: unknown) => log.error({ err: problem }, 'While stopping') },
      onTimeout: () => {
        log.error({ deadlineSecs: STOP_DEADLINE_MS / 1_000 }, 'Not everything stopped in time: ending without waiting');
        end();
      },
    },
    async ({ signal = asked?.signal }) => {
      stopping = true;
      if (fatal !== undefined) {
        log.fatal({ err: fatal.error }, 'An error nobody caught: stopping; as a service, systemd starts this again');
      } else {
        log.info({ ...(signal === undefined ? {} : { signal }) }, 'Stopping');
      }
      await stop();
      log.info({}, 'Stopped');
      if (fatal !== undefined) end();
      log.flush();
    },
  );

  const fail = (error: unknown): void => {
    if (stopping) {
      log.fatal({ err: error }, 'Another error nobody caught, while stopping: ending at once');
      end();
    }
    fatal = { error };
    grace.close();
  };
  const onError = (error: unknown): void => {
    const outlived = outlive(refused, error, performance.now());
    if (outlived === undefined) {
      fail(error);
      return;
    }
    const level = refused.length === 0 ? 'warn' : 'debug';
    refused = outlived;
    log[level]({ err: error }, 'The system refused a call, and nobody waited for its answer; the service goes on');
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);

  const onStopSignal = (signal: NodeJS.Signals): void => {
    if (asked === undefined) {
      asked = { signal, atMs: performance.now() };
      if (!stopping) grace.close();
    } else if (performance.now() - asked.atMs >= SAME_WISH_MS) {
      log.error({ signal }, 'Asked to stop again: ending at once');
      end();
    }
  };
  process.on('SIGINT', onStopSignal);
  process.on('SIGTERM', onStopSignal);

  let reloading = Promise.resolve();
  let waiting = false;
  // Stays to the end: without a listener a SIGHUP while stopping would kill the process.
  process.on('SIGHUP', () => {
    if (stopping || waiting) return;
    waiting = true;
    reloading = reloading.then(async () => {
      waiting = false;
      if (!stopping) await reload();
    });
  });
  return fail;
}
