/** Time, as an argument: a test steps it. */
export interface Clock {
  /** Milliseconds; never goes back, starts anywhere. */
  now(): number;
  /** Calls `fn` once after `ms`; the function returned calls that off. */
  after(ms: number, fn: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
