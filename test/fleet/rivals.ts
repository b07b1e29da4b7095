/**
 * Clients that know nothing of the internet and retry by a rule. What they notice of a silent line is a missed keep-alive; while there is
 * none an attempt fails at its name look-up.
 */
import type { Random } from '../lab/random.js';
import { latencyMs } from './service.js';
import type { Client, Fleet, World } from './world.js';

export interface Rule {
  readonly name: string;
  /** Whether it signs in at every attempt, or keeps what it has. */
  readonly signsInAnew: boolean;
  /** Wait before the attempt after the n-th failure in a row, the loss of the connection being the first; milliseconds. */
  readonly waitMs: (n: number, random: Random) => number;
}

const KEEP_ALIVE_MS = 30_000;
const LOOK_UP_FAILS_MS = 5_000;

export const RULES: readonly Rule[] = [
  // As the Python version: a sign-in at each attempt.
  { name: 'fixed 5 s', signsInAnew: true, waitMs: () => 5_000 },
  {
    name: 'full jitter, 15 s to 300 s',
    signsInAnew: false,
    waitMs: (n, random) => random.next() * Math.min(300_000, 15_000 * 2 ** Math.min(n - 1, 10)),
  },
  // retry/backoffhandler.go: rand.Int63n(BaseTime << retries), BaseTime 1 s, MaxRetries 5, RetryForever.
  {
    name: "cloudflared's rule",
    signsInAnew: false,
    waitMs: (n, random) => Math.floor(random.next() * 1_000 * 2 ** Math.min(n, 5)),
  },
  // hass_nabucasa/iot_base.py: sleep(2 ** min(9, tries) + random.randint(0, tries * 3)).
  {
    name: "Home Assistant Cloud's rule",
    signsInAnew: false,
    waitMs: (n, random) => 1_000 * (2 ** Math.min(9, n) + Math.floor(random.next() * (n * 3 + 1))),
  },
];

const CLIENT = 0;
const IN = 0;
const WAITING = 1;
const LOOKING_UP = 2;
const SIGNING_IN = 3;
const SHAKING_HANDS = 4;

export function rival(rule: Rule): Client {
  return { name: rule.name, make: (world) => new Rival(world, rule) };
}

class Rival implements Fleet {
  readonly #world: World;
  readonly #rule: Rule;
  readonly #doing: Uint8Array;
  readonly #failures: Uint16Array;
  readonly #hasUrl: Uint8Array;

  constructor(world: World, rule: Rule) {
    this.#world = world;
    this.#rule = rule;
    this.#doing = new Uint8Array(world.devices);
    this.#failures = new Uint16Array(world.devices);
    this.#hasUrl = new Uint8Array(world.devices).fill(world.urls === 'valid' ? 1 : 0);
  }

  begin(device: number, how: 'connected' | 'boot'): void {
    if (how === 'connected') return;
    // Nothing of theirs outlives a power cut.
    this.#hasUrl[device] = 0;
    this.#wait(device, 300 * this.#world.random.next());
  }

  lineLost(device: number, atMs: number): void {
    if (this.#doing[device] !== IN) return;
    this.#failures[device] = 1;
    const noticedMs = atMs + KEEP_ALIVE_MS * this.#world.random.next();
    this.#wait(device, noticedMs + this.#rule.waitMs(1, this.#world.random));
  }

  lineBack(): void {
    // They learn of it by their next attempt.
  }

  closed(device: number, atMs: number): void {
    if (this.#doing[device] === IN) this.#failed(device, atMs);
  }

  due(device: number, _slot: number, atMs: number): void {
    const { service, random } = this.#world;
    switch (this.#doing[device]) {
      case WAITING:
        if (!this.#world.lineUp(device)) this.#do(device, LOOKING_UP, atMs + LOOK_UP_FAILS_MS);
        else this.#do(device, this.#needsSignIn(device) ? SIGNING_IN : SHAKING_HANDS, atMs + latencyMs(random));
        return;
      case LOOKING_UP:
        this.#failed(device, atMs);
        return;
      case SIGNING_IN:
        service.arrives(device, atMs);
        if (service.signIn(atMs)) {
          this.#hasUrl[device] = 2;
          this.#do(device, SHAKING_HANDS, atMs + 2 * latencyMs(random));
        } else {
          this.#failed(device, atMs);
        }
        return;
      case SHAKING_HANDS: {
        // Just signed in: the attempt was counted there.
        if (this.#hasUrl[device] === 2) this.#hasUrl[device] = 1;
        else service.arrives(device, atMs);
        if (!this.#world.lineUp(device) || service.handshake(device, atMs) !== 'ok') {
          this.#failed(device, atMs);
          return;
        }
        this.#doing[device] = IN;
        this.#failures[device] = 0;
        return;
      }
      default:
    }
  }

  #needsSignIn(device: number): boolean {
    return this.#rule.signsInAnew || this.#hasUrl[device] === 0;
  }

  #failed(device: number, atMs: number): void {
    this.#failures[device]! += 1;
    this.#wait(device, atMs + this.#rule.waitMs(this.#failures[device]!, this.#world.random));
  }

  #wait(device: number, untilMs: number): void {
    this.#do(device, WAITING, untilMs);
  }

  #do(device: number, what: number, atMs: number): void {
    this.#doing[device] = what;
    this.#world.note(device, CLIENT, atMs);
  }
}
