/**
 * From the group to the components: what a browser sent passes the flood limit and the router, and is handed to the
 * bus or to whoever answers it here. `router.ts` and `token-bucket.ts` decide; time is told by the exchange's one timer.
 */
import type { Clock } from '../base/clock.js';
import type { GroupMessage } from '../connection/session.js';
import type { Logger } from '../log.js';
import type { ForeignController } from './foreign-controller.js';
import type { UpdateRequest } from './updates/request.js';
import type { BrowserAnswers } from './browser-answers.js';
import type { RepeatedWarning } from './repeated-warning.js';
import { isFromController, routeFromGroup, type Asker, type GroupDecision } from './router.js';
import type { TokenBucket, TokenBucketEffect, TokenBucketOptions } from './token-bucket.js';
import { fullBucket, nextSettleMs, settle, take } from './token-bucket.js';

export interface FromGroupDependencies {
  /** The limit of now: it can change while running. */
  readonly flood: () => TokenBucketOptions;
  /** For malformed messages. */
  readonly refused: RepeatedWarning;
  /** A command for a component. */
  readonly onCommand: (arrived: GroupMessage, command: Extract<GroupDecision, { kind: 'forward' }>) => void;
  /** A browser asks whether this machine is there. */
  readonly onHeartbeatRequest: () => void;
  /** A browser asks what this machine is. */
  readonly onSystemInfoRequest: () => void;
  /** A browser asks whether the clock can be trusted. */
  readonly onClockRequest: () => void;
  /** A browser asks for an update, or whether there is one. */
  readonly onUpdateRequest: (arrived: GroupMessage, request: UpdateRequest, asker: Asker) => void;
  /** Largest message let through, bytes of JSON, of now; undefined: the router's own. */
  readonly maxMessageBytes: () => number | undefined;
  /** Is told of messages that another remote sent to our group. */
  readonly foreign: ForeignController;
  /** Tells the browser that its message was refused. */
  readonly answers: BrowserAnswers;
  /** {@link FromGroup.nextMs} may be another one. */
  readonly onTimeChanged: () => void;
  readonly log: Logger;
  readonly clock: Clock;
}

export class FromGroup {
  readonly #log: Logger;
  readonly #clock: Clock;
  #bucket: TokenBucket;

  constructor(private readonly deps: FromGroupDependencies) {
    this.#log = deps.log;
    this.#clock = deps.clock;
    this.#bucket = fullBucket(deps.flood(), deps.clock.nowMs());
  }

  /** When {@link tick} is due, milliseconds of the clock. */
  get nextMs(): number | undefined {
    return nextSettleMs(this.#bucket, this.deps.flood());
  }

  tick(): void {
    const [bucket, effects] = settle(this.#bucket, this.deps.flood(), this.#clock.nowMs());
    this.#bucket = bucket;
    this.#floodNews(effects);
  }

  take(arrived: GroupMessage): void {
    const { data } = arrived;
    if (isFromController(data)) {
      this.deps.foreign.seenInGroup((data as { readonly subject?: unknown }).subject);
      return;
    }
    const taken = take(this.#bucket, this.deps.flood(), this.#clock.nowMs());
    this.#bucket = taken.bucket;
    this.#floodNews(taken.effects);
    this.deps.onTimeChanged();
    if (!taken.allowed) return;
    const decision =
      arrived.dataType === 'json'
        ? routeFromGroup(arrived, this.deps.maxMessageBytes())
        : ({ kind: 'refuse', reason: 'not-json', asker: {} } as const);
    switch (decision.kind) {
      case 'forward':
        this.deps.onCommand(arrived, decision);
        break;
      case 'heartbeat':
        this.#log.debug({ subject: 'controller.heartbeat' }, 'A browser asks whether we are there.');
        this.deps.onHeartbeatRequest();
        break;
      case 'system-info':
        this.deps.onSystemInfoRequest();
        break;
      case 'clock':
        this.deps.onClockRequest();
        break;
      case 'update':
        this.deps.onUpdateRequest(arrived, decision.request, decision.asker);
        break;
      case 'ignore':
        this.#log.debug({ reason: decision.reason }, 'A message of the group is not for this machine; ignored.');
        break;
      case 'unknown':
        this.#log.debug({ reason: decision.reason }, 'A message of the group is nothing that is known here; ignored.');
        // Never to all: it may have been meant for somebody else.
        if (decision.asker.connectionId !== undefined) this.deps.answers.refused(decision.reason, decision.asker);
        break;
      case 'refuse':
        this.deps.answers.refused(decision.reason, decision.asker);
        this.deps.refused.warn(
          { from: 'group', reason: decision.reason },
          'A malformed message of the group was dropped.',
        );
        break;
    }
  }

  #floodNews(effects: readonly TokenBucketEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'flood-began') {
        const { perSecond, burst } = this.deps.flood();
        this.#log.warn(
          { perSecond, burst },
          'More messages from the group than are let through; the rest is dropped and counted.',
        );
      } else {
        this.#log.warn(
          { dropped: effect.dropped, ms: Math.round(effect.ms) },
          'The flood of messages from the group is over.',
        );
      }
    }
  }
}
