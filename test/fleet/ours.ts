/**
 * Devices with the machine that is shipped: `transition.ts` decides, with the policy of the default settings; the sign-ins are paced by
 * `pacing.ts`, the tries of a recovery by `recovery-pace.ts`. Here is only what stands for the monitor, the network and the clock.
 */
import { policyOf, type ConnectionTimings } from '../../src/main/connection/policy.js';
import {
  AUTH0_LIMITS,
  begun,
  failed,
  newPacing,
  succeeded,
  waitMs,
  type Pacing,
} from '../../src/main/connection/credentials/pacing.js';
import type { OpenFailure } from '../../src/main/connection/session.js';
import {
  initialState,
  type ConnectionEvent,
  type ConnectionPolicy,
  type ConnectionState,
} from '../../src/main/connection/state.js';
import { transition } from '../../src/main/connection/transition.js';
import { RecoveryPace } from '../../src/main/connection/web-pubsub/recovery-pace.js';
import { TABLE } from '../../src/main/settings/table.js';
import { latencyMs } from './service.js';
import type { Client, Fleet, World } from './world.js';

const TIMER = 0;
const NETWORK = 1;
const MONITOR = 2;

/** What is on its way to the cloud; `second`: the handshake after a sign-in; `silence`: nothing will answer, the line is gone. */
type Way = 'nothing' | 'sign-in' | 'handshake' | 'second' | 'recovery' | 'silence';

/** Of a line that falls silent at a random moment: to the next check, and two that fail. */
const CHECK_MS = 7_000;
const FAILING_MS = 4_000;
/** While offline it is looked again that often. */
const OFFLINE_CHECK_MS = 2_000;
/** Nothing heard of a handshake. */
const HANDSHAKE_MS = 10_000;
/** Times of the machine are this far from the begin of the run, so that a session can be an hour old. */
const EPOCH_MS = 10_000_000;
const HOUR_MS = 3_600_000;
/** What the sign-in says with its 429: the next second. */
const RETRY_AFTER_MS = 1_000;

export function defaultTimings(): ConnectionTimings {
  const { stabilizationSecs, returnSpreadSecs, backoffBaseSecs, backoffCapSecs, stableAfterSecs } = TABLE;
  return {
    stabilizationSecs: stabilizationSecs.default,
    returnSpreadSecs: returnSpreadSecs.default,
    backoffBaseSecs: backoffBaseSecs.default,
    backoffCapSecs: backoffCapSecs.default,
    stableAfterSecs: stableAfterSecs.default,
  };
}

export function ours(name = 'this daemon', timings: Partial<ConnectionTimings> = {}): Client {
  const policy = policyOf({ ...defaultTimings(), ...timings });
  return { name, make: (world) => new Ours(world, policy) };
}

class Ours implements Fleet {
  readonly #world: World;
  readonly #start: ConnectionState;
  readonly #connected: ConnectionState;
  readonly #states: ConnectionState[];
  readonly #way: Way[];
  readonly #hasUrl: Uint8Array;
  readonly #suspended: Uint8Array;
  /** Where sign-ins were needed, and where a recovery failed. */
  readonly #pacings: (Pacing | undefined)[] = [];
  readonly #paces: (RecoveryPace | undefined)[] = [];

  constructor(world: World, policy: ConnectionPolicy) {
    this.#world = world;
    this.#start = initialState(policy);
    this.#connected = connectedFor(this.#start, HOUR_MS);
    this.#states = new Array<ConnectionState>(world.devices).fill(this.#start);
    this.#way = new Array<Way>(world.devices).fill('nothing');
    this.#hasUrl = new Uint8Array(world.devices).fill(world.urls === 'valid' ? 1 : 0);
    this.#suspended = new Uint8Array(world.devices);
  }

  begin(device: number, how: 'connected' | 'boot'): void {
    if (how === 'connected') {
      this.#states[device] = this.#connected;
      return;
    }
    this.#tell(device, { kind: 'start', verdict: 'unknown', boot: true }, 0);
    this.#world.note(device, MONITOR, 300 * this.#world.random.next());
  }

  lineLost(device: number, atMs: number): void {
    const failingMs = CHECK_MS * this.#world.random.next() + FAILING_MS;
    this.#world.note(device, MONITOR, atMs + failingMs);
  }

  lineBack(device: number, atMs: number): void {
    this.#world.note(
      device,
      MONITOR,
      atMs + OFFLINE_CHECK_MS * this.#world.random.next() + 4 * latencyMs(this.#world.random),
    );
  }

  closed(device: number, atMs: number): void {
    const state = this.#states[device]!;
    if (state.kind !== 'connected') return;
    const cause = { kind: 'service', code: 1001 } as const;
    this.#tell(device, { kind: 'session-interrupted', session: state.session.id, message: 'going away', cause }, atMs);
    if (this.#suspended[device] === 0) this.#recover(device, atMs);
  }

  due(device: number, slot: number, atMs: number): void {
    switch (slot) {
      case TIMER:
        this.#tell(device, { kind: 'timer' }, atMs);
        return;
      case MONITOR: {
        const online = this.#world.lineUp(device);
        this.#tell(device, { kind: 'internet', online, ...(online ? {} : { reason: 'dns-timeout' }) }, atMs);
        return;
      }
      default:
        this.#arrived(device, atMs);
    }
  }

  #tell(device: number, event: ConnectionEvent, atMs: number): void {
    const { random } = this.#world;
    const [state, effects] = transition(this.#states[device]!, event, {
      nowMs: EPOCH_MS + atMs,
      random: random.next(),
    });
    this.#states[device] = state;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'arm-timer':
          this.#world.note(device, TIMER, effect.atMs - EPOCH_MS);
          break;
        case 'disarm-timer':
          this.#world.cancel(device, TIMER);
          break;
        case 'open':
          this.#open(device, atMs);
          break;
        case 'abandon':
        case 'dispose':
          this.#nothing(device);
          break;
        case 'suspend':
          this.#suspended[device] = 1;
          this.#nothing(device);
          break;
        case 'resume':
          this.#suspended[device] = 0;
          this.#recover(device, atMs);
          break;
        case 'announce':
        case 'note':
        case 'request-check':
          break;
      }
    }
  }

  #nothing(device: number): void {
    this.#way[device] = 'nothing';
    this.#world.cancel(device, NETWORK);
  }

  #send(device: number, way: Way, atMs: number): void {
    const gone = !this.#world.lineUp(device);
    this.#way[device] = gone ? 'silence' : way;
    this.#world.note(device, NETWORK, atMs + (gone ? HANDSHAKE_MS : latencyMs(this.#world.random)));
  }

  #open(device: number, atMs: number): void {
    this.#suspended[device] = 0;
    if (this.#hasUrl[device] === 1) {
      this.#send(device, 'handshake', atMs);
      return;
    }
    const [blockedMs, pacing] = waitMs(this.#pacing(device), AUTH0_LIMITS, atMs);
    this.#pacings[device] = pacing;
    if (blockedMs > 0) {
      this.#failed(device, { kind: 'throttled', status: 429, message: 'paced', retryAfterMs: blockedMs }, atMs);
      return;
    }
    this.#pacings[device] = begun(pacing, AUTH0_LIMITS, atMs);
    this.#send(device, 'sign-in', atMs);
  }

  #pacing(device: number): Pacing {
    return this.#pacings[device] ?? newPacing(AUTH0_LIMITS, 0);
  }

  #recover(device: number, atMs: number): void {
    const pace = this.#paces[device];
    this.#send(device, 'recovery', atMs + (pace?.waitMs(atMs) ?? 0));
  }

  #failed(device: number, failure: OpenFailure, atMs: number): void {
    const state = this.#states[device]!;
    if (state.kind === 'connecting') this.#tell(device, { kind: 'open-failed', attempt: state.attempt, failure }, atMs);
  }

  #arrived(device: number, atMs: number): void {
    const way = this.#way[device]!;
    this.#way[device] = 'nothing';
    const { service } = this.#world;
    switch (way) {
      case 'sign-in': {
        service.arrives(device, atMs);
        if (service.signIn(atMs)) {
          this.#pacings[device] = succeeded(this.#pacing(device), true);
          this.#hasUrl[device] = 1;
          this.#send(device, 'second', atMs + latencyMs(this.#world.random));
          return;
        }
        this.#pacings[device] = failed(this.#pacing(device), AUTH0_LIMITS, atMs, RETRY_AFTER_MS);
        this.#failed(device, { kind: 'throttled', status: 429, message: 'limit', retryAfterMs: RETRY_AFTER_MS }, atMs);
        return;
      }
      case 'handshake':
      case 'second': {
        if (way === 'handshake') service.arrives(device, atMs);
        const answer = service.handshake(device, atMs);
        const state = this.#states[device]!;
        if (answer === 'ok' && state.kind === 'connecting') {
          this.#tell(device, { kind: 'opened', attempt: state.attempt }, atMs);
        } else if (answer === 'throttled') {
          this.#failed(device, { kind: 'throttled', status: 429, message: 'too many connections' }, atMs);
        } else {
          this.#failed(device, { kind: 'failed', message: '503' }, atMs);
        }
        return;
      }
      case 'recovery':
        this.#recovery(device, atMs);
        return;
      case 'silence':
        this.#failed(device, { kind: 'failed', message: 'no handshake' }, atMs);
        return;
      case 'nothing':
    }
  }

  #recovery(device: number, atMs: number): void {
    const state = this.#states[device]!;
    if (state.kind !== 'recovering') return;
    const session = state.session.id;
    switch (this.#world.service.recover(device, atMs)) {
      case 'ok':
        this.#paces[device] = undefined;
        this.#tell(device, { kind: 'session-recovered', session }, atMs);
        return;
      case 'gone': {
        this.#paces[device] = undefined;
        const cause = { kind: 'service', code: 1008 } as const;
        this.#tell(device, { kind: 'session-ended', session, message: 'gone', cause }, atMs);
        return;
      }
      case 'down':
        this.#paces[device] ??= new RecoveryPace(1_000);
        this.#paces[device].opened(atMs, this.#world.random.next());
        this.#recover(device, atMs);
    }
  }
}

/** A state as the machine itself makes it. */
function connectedFor(start: ConnectionState, ms: number): ConnectionState {
  const context = { nowMs: EPOCH_MS - ms, random: 0 };
  const [connecting] = transition(start, { kind: 'start', verdict: 'online' }, context);
  return transition(connecting, { kind: 'opened', attempt: connecting.memory.lastId }, context)[0];
}
