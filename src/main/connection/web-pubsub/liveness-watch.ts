/** Runs {@link liveness} while a socket is open: the clock, the traffic, and what is done about it. It decides nothing. */
import { performance } from 'node:perf_hooks';
import {
  FRESH_LIVENESS,
  liveness,
  type Liveness,
  type LivenessEffect,
  type LivenessEvent,
  type LivenessPolicy,
} from './liveness.js';

export interface LivenessHooks {
  /** Sends a ping of the subprotocol. */
  ask(): void;
  /** The service is dead; {@link LivenessWatch.stop} is called first. */
  dead(message: string): void;
  /** Bytes read from the socket so far. */
  bytesRead(): number;
}

/** More than the answers to WebSocket pings within a tick: a long message is coming in. */
const A_FRAME_UNDER_WAY_BYTES = 2_048;

export class LivenessWatch {
  readonly #policy: () => LivenessPolicy;
  readonly #hooks: LivenessHooks;
  #state: Liveness = FRESH_LIVENESS;
  #timer: NodeJS.Timeout | undefined;
  /** Who waits for a sign of life. */
  readonly #waiting = new Set<(alive: boolean) => void>();

  /** @param policy asked at each tick, as it may change while a socket is open */
  constructor(policy: () => LivenessPolicy, hooks: LivenessHooks) {
    this.#policy = policy;
    this.#hooks = hooks;
  }

  /** A socket is open. */
  start(): void {
    this.stop();
    this.#state = FRESH_LIVENESS;
    const { askAfterMs, answerWithinMs } = this.#policy();
    const tickMs = Math.max(5, Math.min(5_000, Math.floor(Math.min(askAfterMs, answerWithinMs) / 4)));
    let before = performance.now();
    let bytes = this.#hooks.bytesRead();
    this.#timer = setInterval(() => {
      const now = performance.now();
      const read = this.#hooks.bytesRead();
      if (read - bytes > A_FRAME_UNDER_WAY_BYTES) this.tell({ kind: 'heard' });
      bytes = read;
      // A process that was stopped takes its own sleep for nobody's silence.
      const ms = Math.min(now - before, 2 * tickMs);
      before = now;
      this.tell({ kind: 'passed', ms });
    }, tickMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const settle of [...this.#waiting]) settle(false);
  }

  /** Asks now, and resolves with whether the service said anything within the time; false at once while no socket is open. */
  answers(withinMs: number): Promise<boolean> {
    if (this.#timer === undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (alive: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve(alive);
      };
      const timer = setTimeout(() => settle(false), withinMs);
      this.#waiting.add(settle);
      this.#hooks.ask();
    });
  }

  /** The socket is about to be asked, and next in `nextMs`. True: the service has been asked in its place. */
  idle(nextMs: number): boolean {
    return this.tell({ kind: 'idle', nextMs }) === 'ask';
  }

  /** What was done about it. */
  tell(event: LivenessEvent): LivenessEffect['kind'] | undefined {
    if (this.#timer === undefined) return undefined;
    if (event.kind === 'heard' || event.kind === 'acknowledged') for (const settle of [...this.#waiting]) settle(true);
    const [state, effect] = liveness(this.#state, event, this.#policy());
    this.#state = state;
    if (effect?.kind === 'ask') this.#hooks.ask();
    if (effect?.kind === 'dead') {
      this.stop();
      this.#hooks.dead(effect.message);
    }
    return effect?.kind;
  }
}
