import type { Logger } from '../base/logger.js';

export interface FoldOptions {
  /** How long repeats are only counted, milliseconds. Default: 600,000. */
  readonly windowMs?: number;
  /** How often a message is said within a window before repeats are only counted. Default: 1. */
  readonly burst?: number;
  /** Milliseconds, from any start, never going back. Default: `performance.now`. */
  readonly now?: () => number;
  /** Calls back once after a time; the answer cancels. Default: a timer that keeps no process alive. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
  /** What makes two events the same. Default: their level and message. */
  readonly keyOf?: (level: FoldedLevel, fields: object, message: string) => string;
}

export type FoldedLevel = 'info' | 'warn' | 'error';

/** A log that folds repeats. */
export interface FoldingLogger extends Logger {
  /** Tells all counts and clears the timer: before the end. */
  flush(): void;
}

/** Messages told apart at a time; beyond that the oldest is summed up early. */
const MOST_KEYS = 100;

interface Window {
  readonly level: FoldedLevel;
  readonly message: string;
  readonly endsAt: number;
  /** How often it was said, and how often only counted. */
  said: number;
  repeats: number;
  /** Of the latest one: after a day of flapping the last state is what counts. */
  fields: object;
}

/**
 * Folds repeated messages: the first is logged at once (with a burst: the first few), those that follow within the window are counted and
 * told in one line at its end, with the fields of the latest. While repeats go on, so do the windows: one line each. So n different
 * messages make at most n lines a window, however often they come: a day of flapping with the default window is at most 144 lines a
 * message and one burst. Debug passes through.
 */
export function foldRepeats(log: Logger, options: FoldOptions = {}): FoldingLogger {
  const { windowMs = 600_000, burst = 1, now = () => performance.now(), schedule = afterUnref } = options;
  const keyOf = options.keyOf ?? ((level, _fields, message) => `${level} ${message}`);
  /** In the order in which they end: all windows are equally long. */
  const windows = new Map<string, Window>();
  let cancel: (() => void) | undefined;

  const open = (key: string, level: FoldedLevel, fields: object, message: string, said: number): void => {
    windows.set(key, { level, message, fields, endsAt: now() + windowMs, said, repeats: 0 });
    arm();
  };

  /** Ends a window; true if there was something to tell. */
  const close = (key: string, window: Window): boolean => {
    windows.delete(key);
    if (window.repeats === 0) return false;
    const times = window.repeats === 1 ? 'once more' : `${window.repeats} times more`;
    const text = `${window.message} (${times} within ${inWords(windowMs)})`;
    log[window.level]({ ...window.fields, repeats: window.repeats }, text);
    return true;
  };

  const settle = (): void => {
    for (const [key, window] of [...windows]) {
      if (window.endsAt > now()) break;
      // It goes on: nothing more than the count is said.
      if (close(key, window)) open(key, window.level, window.fields, window.message, burst);
    }
    arm();
  };

  const arm = (): void => {
    const [first] = windows.values();
    if (first === undefined || cancel !== undefined) return;
    cancel = schedule(
      () => {
        cancel = undefined;
        settle();
      },
      Math.max(1, first.endsAt - now()),
    );
  };

  const say = (level: FoldedLevel) => (fields: object, message: string) => {
    const key = keyOf(level, fields, message);
    const known = windows.get(key);
    if (known !== undefined && known.endsAt <= now()) settle();
    const window = windows.get(key);
    if (window !== undefined) {
      if (window.said < burst) {
        window.said += 1;
        log[level](fields, message);
        return;
      }
      window.repeats += 1;
      window.fields = fields;
      return;
    }
    const [oldest] = windows;
    if (windows.size >= MOST_KEYS && oldest !== undefined) close(...oldest);
    log[level](fields, message);
    open(key, level, fields, message, 1);
  };

  return {
    debug: (fields, message) => log.debug(fields, message),
    ...(log.showsDebug === undefined ? {} : { showsDebug: log.showsDebug }),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    flush: () => {
      cancel?.();
      cancel = undefined;
      for (const [key, window] of [...windows]) close(key, window);
    },
  };
}

/** Messages that differ in their numbers only, such as durations, are the same. */
export function numbersAside(level: FoldedLevel, _fields: object, message: string): string {
  return `${level} ${message.replace(/\d+(?:\.\d+)?/g, '#')}`;
}

function inWords(ms: number): string {
  return ms >= 120_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 1_000)} s`;
}

function afterUnref(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
}
