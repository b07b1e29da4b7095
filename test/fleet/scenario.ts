/** What happens to the fleet. Times are seconds since the begin of the run. */

export interface Scenario {
  /** Also the name of its picture. */
  readonly name: string;
  readonly title: string;
  readonly lengthSecs: number;
  /** From when on arrivals are counted. */
  readonly countedFromSecs: number;
  /** From when on a device can be in again, and its wait is counted. Default: the same. */
  readonly backFromSecs?: number;
  /** `connected`: all are, for an hour already. `boot`: the power comes back at 0. */
  readonly start: 'connected' | 'boot';
  /** Whether the devices hold a client access URL that is valid. */
  readonly urls: 'valid' | 'none';
  /** The lines of all are cut at once; each comes back at a random time within `backOverSecs` of `toSecs`. */
  readonly outages?: readonly { readonly fromSecs: number; readonly toSecs: number; readonly backOverSecs: number }[];
  readonly service?: readonly ServiceEvent[];
  /** Sign-ins a second; the others get 429 and the next second. */
  readonly signInsPerSec?: number;
}

export type ServiceEvent =
  /** It restarts: it closes every socket and forgets every session. */
  | { readonly kind: 'restart'; readonly atSecs: number }
  /** It closes every socket, but knows the sessions. */
  | { readonly kind: 'close'; readonly atSecs: number }
  /** Closes every socket and answers 503 until it is over, when it knows no session any more. */
  | { readonly kind: 'maintenance'; readonly atSecs: number; readonly untilSecs: number }
  /** No more connections than this share of the fleet. */
  | { readonly kind: 'room'; readonly atSecs: number; readonly share: number };

const MINUTE = 60;

const region = (minutes: number, backOverSecs: number): Scenario => ({
  name: `region-${minutes}-min-over-${backOverSecs}-s`,
  title: `Regional outage of ${minutes} min, back within ${backOverSecs === 0 ? 'one moment' : `${backOverSecs} s`}`,
  lengthSecs: minutes * MINUTE + 650,
  countedFromSecs: minutes * MINUTE + 10,
  start: 'connected',
  urls: 'valid',
  outages: [{ fromSecs: 10, toSecs: minutes * MINUTE + 10, backOverSecs }],
});

const limited = (signInsPerSec: number): Scenario => ({
  name: `sign-ins-${signInsPerSec}`,
  title: `Regional outage of 20 min, no URL valid, ${signInsPerSec} sign-ins a second`,
  lengthSecs: 1_210 + Math.ceil((100_000 / signInsPerSec) * 1.6) + 1_000,
  countedFromSecs: 1_210,
  start: 'connected',
  urls: 'none',
  outages: [{ fromSecs: 10, toSecs: 1_210, backOverSecs: 0 }],
  signInsPerSec,
});

export const SCENARIOS: readonly Scenario[] = [
  region(2, 0),
  region(20, 0),
  region(20, 10),
  region(20, 60),
  {
    name: 'restart',
    title: 'The service restarts and knows no session',
    lengthSecs: 200,
    countedFromSecs: 10,
    start: 'connected',
    urls: 'valid',
    service: [{ kind: 'restart', atSecs: 10 }],
  },
  {
    name: 'close',
    title: 'The service closes every socket and keeps the sessions',
    lengthSecs: 120,
    countedFromSecs: 10,
    start: 'connected',
    urls: 'valid',
    service: [{ kind: 'close', atSecs: 10 }],
  },
  {
    name: 'maintenance',
    title: 'Maintenance of 10 min: 503 without Retry-After',
    lengthSecs: 1_250,
    countedFromSecs: 10,
    backFromSecs: 610,
    start: 'connected',
    urls: 'valid',
    service: [{ kind: 'maintenance', atSecs: 10, untilSecs: 610 }],
  },
  {
    name: 'power-cut-urls-kept',
    title: 'Regional power cut, all boot together, URLs kept',
    lengthSecs: 300,
    countedFromSecs: 0,
    start: 'boot',
    urls: 'valid',
    signInsPerSec: 50,
  },
  {
    name: 'power-cut-no-url',
    title: 'Regional power cut, all boot together, no URL, 50 sign-ins a second',
    lengthSecs: 4_500,
    countedFromSecs: 0,
    start: 'boot',
    urls: 'none',
    signInsPerSec: 50,
  },
  limited(25),
  limited(50),
  limited(100),
  {
    name: 'connection-limit',
    title: 'Restart of a service with room for 90 %, for all after half an hour',
    lengthSecs: 3_300,
    countedFromSecs: 10,
    start: 'connected',
    urls: 'valid',
    service: [
      { kind: 'room', atSecs: 5, share: 0.9 },
      { kind: 'restart', atSecs: 10 },
      { kind: 'room', atSecs: 1_810, share: 1 },
    ],
  },
  {
    name: 'flapping',
    title: 'A region that flaps: for 5 min 40 s without a line and 20 s with one',
    lengthSecs: 400,
    countedFromSecs: 10,
    backFromSecs: 290,
    start: 'connected',
    urls: 'valid',
    outages: Array.from({ length: 5 }, (_, n) => ({
      fromSecs: 10 + n * MINUTE,
      toSecs: 50 + n * MINUTE,
      backOverSecs: 2,
    })),
  },
];
