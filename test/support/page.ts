/**
 * What a page of DuneBugger's front end makes of the messages it gets: the rules of the real one, with the wire and the clock handed in.
 *
 * It asks `controller.heartbeat` when it connects and when it is asked "Is anyone there?", and at no other time. A heartbeat shows the device
 * online; 65 s without one show it offline. States are fetched only when the device goes from offline to online. When the page's own
 * connection is lost it shows the device offline.
 */
import type { Clock } from '../../src/main/base/clock.js';

/** A heartbeat keeps the device online for so long, milliseconds. */
export const HEARTBEAT_TIMEOUT_MS = 65_000;

/** What the page asks for when the device comes online. */
export const ASKED_ON_ONLINE = [
  'core.refresh_gpios',
  'core.refresh_sequence',
  'core.get_sequence',
  'scheduler.get_schedule',
  'scheduler.get_next_actions',
  'scheduler.get_last_executed_action',
  'controller.system_info',
] as const;

export interface PageOptions {
  readonly send: (subject: string, body: unknown) => void;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Default {@link HEARTBEAT_TIMEOUT_MS}; less where the times of the device are scaled down. */
  readonly heartbeatTimeoutMs?: number;
  /** Asks for its states when the device comes online. Default true. */
  readonly asksForStates?: boolean;
  readonly onOnline?: (online: boolean) => void;
}

export class Page {
  readonly #options: PageOptions;
  readonly #shown = new Map<string, unknown>();
  #online = false;
  #cancel: (() => void) | undefined;

  constructor(options: PageOptions) {
    this.#options = options;
  }

  /** What the page shows of the device. */
  get online(): boolean {
    return this.#online;
  }

  /** The newest body of a subject. */
  shown(subject: string): unknown {
    return this.#shown.get(subject);
  }

  /** Its own connection is there. */
  connected(): void {
    this.#options.send('controller.heartbeat', 'I am here');
    this.#expectHeartbeat();
  }

  /** Its own connection is gone. */
  disconnected(): void {
    this.stop();
    this.#show(false);
  }

  /** A message for `broadcast` or for this page. */
  received(subject: string, body: unknown): void {
    this.#shown.set(subject, body);
    if (subject !== 'heartbeat') return;
    this.#show(true);
    this.#expectHeartbeat();
    if (body === 'Is anyone there?') this.#options.send('controller.heartbeat', 'I am here');
  }

  /** No timer is left. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #expectHeartbeat(): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.setTimer(
      () => this.#show(false),
      this.#options.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS,
    );
  }

  #show(online: boolean): void {
    if (this.#online === online) return;
    this.#online = online;
    this.#options.onOnline?.(online);
    if (online && this.#options.asksForStates !== false) {
      for (const subject of ASKED_ON_ONLINE) this.#options.send(subject, 'null');
    }
  }
}
