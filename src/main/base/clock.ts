/** Time, as the supervisor is given it, so that a test can step it. */
export interface Clock {
  /** Monotonic, milliseconds. */
  nowMs(): number;
  /** Milliseconds since 1970; may jump, so only for people to read. */
  wallMs(): number;
  /** Calls back once, after `delayMs` or, when that is long, earlier. Returns what clears it. */
  setTimer(fn: () => void, delayMs: number): () => void;
}

/** `setTimeout` takes no longer delay: it would fire at once instead. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer: (fn, delayMs) => {
    const timer = setTimeout(fn, Math.min(delayMs, MAX_TIMEOUT_MS));
    return () => clearTimeout(timer);
  },
};
