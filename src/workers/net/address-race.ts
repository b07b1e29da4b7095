/**
 * Happy eyeballs (RFC 8305) between the addresses of a host, to the end of whatever `open` does (TCP and TLS): an address that is slow keeps its
 * time while the next is tried beside it, the first that opens wins, and the others are given up at once.
 */

/** RFC 8305, section 5: the time one address has before the next is tried beside it. */
const ATTEMPT_DELAY_MS = 250;

export type Attempt = { readonly ok: true } | { readonly ok: false };

export interface RaceOptions<T extends Attempt> {
  /** IP literals in the order of preference; at least one. */
  readonly addresses: readonly string[];
  /** Never rejects, and ends soon after its signal aborts. */
  readonly open: (address: string, signal: AbortSignal) => Promise<T>;
  /** Closes what opened after another had won. */
  readonly close: (opened: T & { readonly ok: true }) => void;
  /** How much a failure tells; of several the one with the highest number is the result. */
  readonly tells: (failed: T & { readonly ok: false }) => number;
  /** Gives all of them up. */
  readonly signal: AbortSignal;
}

export function raceAddresses<T extends Attempt>(options: RaceOptions<T>): Promise<{ address: string; opened: T }> {
  const { addresses, signal } = options;
  return new Promise((resolve) => {
    let next = 0;
    let running = 0;
    let timer: NodeJS.Timeout | undefined;
    let worst: { address: string; opened: T & { readonly ok: false } } | undefined;
    let won = false;
    const losers = new AbortController();
    const either = AbortSignal.any([signal, losers.signal]);

    const start = (): void => {
      clearTimeout(timer);
      const address = addresses[next];
      if (address === undefined) return;
      next += 1;
      running += 1;
      void options.open(address, either).then((opened) => {
        running -= 1;
        if (succeeded(opened)) {
          if (won) options.close(opened);
          else win(address, opened);
          return;
        }
        if (won) return;
        const failed = opened as T & { readonly ok: false };
        if (worst === undefined || options.tells(failed) > options.tells(worst.opened))
          worst = { address, opened: failed };
        if (next < addresses.length && !signal.aborted) start();
        else if (running === 0) {
          clearTimeout(timer);
          resolve(worst);
        }
      });
      if (next < addresses.length) timer = setTimeout(start, ATTEMPT_DELAY_MS);
    };
    const win = (address: string, opened: T): void => {
      won = true;
      clearTimeout(timer);
      losers.abort();
      resolve({ address, opened });
    };
    start();
  });
}

function succeeded<T extends Attempt>(opened: T): opened is T & { readonly ok: true } {
  return opened.ok;
}
