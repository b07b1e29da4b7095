/** The cloud as the fleet meets it: who is let in, who is told to wait, which sessions are known; and what it counts. */
import type { Random } from '../lab/random.js';
import type { Scenario } from './scenario.js';

/** The service promises to keep a session for that long, and here it keeps no promise it has not made. */
const RETENTION_MS = 30_000;

export type Handshake = 'ok' | 'throttled' | 'down';

export class Service {
  /** By second: attempts that reached the cloud, recoveries, sign-ins. */
  readonly arrivals: Uint32Array;
  readonly recoveries: Uint32Array;
  readonly signIns: Uint32Array;
  /** By device: attempts that reached the cloud since the count began, and when it was in for good since then. */
  readonly attempts: Uint32Array;
  readonly inAtMs: Float64Array;
  readonly #knownUntilMs: Float64Array;
  readonly #countedFromMs: number;
  readonly #perSec: number | undefined;
  #connected = 0;
  #room = Infinity;
  #downUntilMs = 0;
  #tokens: number;
  #refilledAtMs = 0;

  constructor(devices: number, scenario: Scenario) {
    this.arrivals = new Uint32Array(scenario.lengthSecs + 1);
    this.recoveries = new Uint32Array(scenario.lengthSecs + 1);
    this.signIns = new Uint32Array(scenario.lengthSecs + 1);
    this.attempts = new Uint32Array(devices);
    this.inAtMs = new Float64Array(devices).fill(Infinity);
    this.#knownUntilMs = new Float64Array(devices);
    this.#countedFromMs = scenario.countedFromSecs * 1_000;
    // A smaller fleet meets a smaller limit, so that the floor stays where it is.
    this.#perSec = scenario.signInsPerSec === undefined ? undefined : (scenario.signInsPerSec * devices) / 100_000;
    this.#tokens = this.#bucket;
  }

  /** Of sign-ins: one second's, but room enough that chance alone fills none. */
  get #bucket(): number {
    return Math.max(this.#perSec ?? 0, 10);
  }

  /** An attempt reaches the cloud: at the sign-in, or at the service where none is needed. */
  arrives(device: number, atMs: number): void {
    this.arrivals[Math.floor(atMs / 1_000)]! += 1;
    if (atMs >= this.#countedFromMs) this.attempts[device]! += 1;
  }

  signIn(atMs: number): boolean {
    this.signIns[Math.floor(atMs / 1_000)]! += 1;
    if (this.#perSec === undefined) return true;
    this.#tokens = Math.min(this.#bucket, this.#tokens + ((atMs - this.#refilledAtMs) / 1_000) * this.#perSec);
    this.#refilledAtMs = atMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  handshake(device: number, atMs: number): Handshake {
    if (atMs < this.#downUntilMs) return 'down';
    if (this.#connected >= this.#room) return 'throttled';
    this.#enter(device, atMs);
    return 'ok';
  }

  recover(device: number, atMs: number): 'ok' | 'gone' | 'down' {
    this.recoveries[Math.floor(atMs / 1_000)]! += 1;
    if (atMs < this.#downUntilMs) return 'down';
    if (atMs >= this.#knownUntilMs[device]!) return 'gone';
    this.#enter(device, atMs);
    return 'ok';
  }

  /** From the start. */
  connected(device: number): void {
    this.#enter(device, 0);
  }

  /** Its socket is gone. */
  dropped(device: number, atMs: number): void {
    if (this.#knownUntilMs[device] !== Infinity) return;
    this.#connected -= 1;
    this.#knownUntilMs[device] = atMs + RETENTION_MS;
    this.inAtMs[device] = Infinity;
  }

  forgets(device: number): void {
    this.#knownUntilMs[device] = 0;
  }

  isIn(device: number): boolean {
    return this.#knownUntilMs[device] === Infinity;
  }

  set room(devices: number) {
    this.#room = devices;
  }

  downUntil(atMs: number): void {
    this.#downUntilMs = atMs;
  }

  #enter(device: number, atMs: number): void {
    this.#connected += 1;
    this.#knownUntilMs[device] = Infinity;
    this.inAtMs[device] = atMs;
  }
}

/** Between a device and the cloud, one way, milliseconds. */
export function latencyMs(random: Random): number {
  return 20 + 80 * random.next();
}
