/**
 * A page of DuneBugger's front end, as far as the wire goes: what it sends, what it looks at, what it shows.
 *
 * On connecting it joins and says `controller.heartbeat`; it looks at messages for `broadcast` and for its own connection id only; each
 * heartbeat shows the device online for 65 s, and "Is anyone there?" is answered; when the device comes online the page asks for
 * what it shows. A page whose session is lost shows the device offline and connects anew.
 */
import { AzureClient } from './azure-client.js';
import { Changes, type WaitOptions } from './changes.js';
import { systemClock } from '../../src/main/base/clock.js';
import { Page } from './page.js';

export { ASKED_ON_ONLINE } from './page.js';

export interface FrontEndOptions {
  /** Client access URL of the person who looks. */
  readonly url: string;
  readonly group: string;
  /** PEM of the CA that the service's certificate comes from. */
  readonly ca: string;
  /** The device is shown offline after so long without a heartbeat, milliseconds. Default 65,000. */
  readonly heartbeatTimeoutMs?: number;
  /** Asks for its states when the device comes online. Default true. */
  readonly asksForStates?: boolean;
}

/** A message that the page looked at. */
export interface Seen {
  readonly subject: string;
  readonly body: unknown;
  readonly destination: string;
}

/** Subjects that the page knows what to do with. */
const KNOWN: ReadonlySet<string> = new Set([
  'log',
  'heartbeat',
  'gpio_state',
  'sequence_state',
  'sequence',
  'current_schedule',
  'next_actions',
  'last_executed_action',
  'playing_time',
  'system_info',
  // Since December 2025.
  'modes_list',
  'analytics_metrics',
  'scheduler_status',
  'ntp_status',
  'update_check_result',
]);

export class FrontEnd {
  readonly #options: FrontEndOptions;
  readonly #azure: AzureClient;
  readonly #changes = new Changes();
  readonly #seen: Seen[] = [];
  readonly #seenListeners: ((message: Seen) => void)[] = [];
  readonly #otherListeners: (() => void)[] = [];
  #connectionId: string | undefined;
  #joined = false;
  readonly #page: Page;
  #stopped = false;
  /** Messages of the group for somebody else. */
  notForUs = 0;
  /** Messages that the page would not understand: another shape, or a subject it does not know. */
  readonly strange: unknown[] = [];
  /** Each change of what the page shows of the device. */
  readonly onlineHistory: boolean[] = [];

  private constructor(options: FrontEndOptions) {
    this.#options = options;
    this.#azure = new AzureClient({ url: options.url, ca: options.ca });
    this.#page = new Page({
      ...options,
      clock: systemClock,
      send: (subject, body) => this.#request(subject, body),
      onOnline: (online) => {
        this.onlineHistory.push(online);
        this.#changes.notify();
      },
    });
  }

  /** Resolves when the page is in the group. */
  static async open(options: FrontEndOptions): Promise<FrontEnd> {
    const page = new FrontEnd(options);
    await page.#load();
    return page;
  }

  /** Its connection id; undefined while there is no connection. */
  get connectionId(): string | undefined {
    return this.#connectionId;
  }

  /** What the page shows of the device. */
  get online(): boolean {
    return this.#page.online;
  }

  /** Everything the page looked at, oldest first; a reload does not clear it. */
  get seen(): readonly Seen[] {
    return this.#seen;
  }

  /** Calls back with each message the page looks at. */
  onSeen(listener: (message: Seen) => void): void {
    this.#seenListeners.push(listener);
  }

  /** Calls back with each message of the group that is not for this page, such as another page's request. */
  onOther(listener: () => void): void {
    this.#otherListeners.push(listener);
  }

  /** Bodies of one subject, oldest first. */
  bodies(subject: string, since = 0): readonly unknown[] {
    return this.#seen.slice(since).flatMap((message) => (message.subject === subject ? [message.body] : []));
  }

  /** The newest body of a subject. */
  shown(subject: string): unknown {
    return this.#page.shown(subject);
  }

  /** As a click does: resolves when the service has it. */
  async send(subject: string, body: unknown): Promise<void> {
    await this.sendRaw({ subject, body, connectionId: this.#connectionId ?? null });
  }

  /** Anything at all, to the group. */
  async sendRaw(data: unknown): Promise<void> {
    await this.#azure.client.sendToGroup(this.#options.group, data as object, 'json', {
      noEcho: true,
      abortSignal: AbortSignal.timeout(20_000),
    });
  }

  /** Waits until something is true of the page; looked at after each message and change. */
  until<T>(look: () => T | undefined | false, what: string, options: WaitOptions = {}): Promise<T> {
    return this.#changes.until(look, what, { timeoutMs: 30_000, ...options }, () =>
      JSON.stringify({ online: this.online, last: this.#seen.slice(-6) }).slice(0, 2_000),
    );
  }

  /** Waits for a message of that subject, from index `since` on, whose body fits. */
  async waitFor(
    subject: string,
    fits: (body: unknown) => boolean = () => true,
    options: WaitOptions & { readonly since?: number } = {},
  ): Promise<Seen> {
    const find = (): Seen | undefined =>
      this.#seen.slice(options.since ?? 0).find((message) => message.subject === subject && fits(message.body));
    return this.until(find, `a ${subject} that fits`, options);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#page.stop();
    await this.#azure.stop();
    this.#changes.close('the page was closed');
  }

  async #load(): Promise<void> {
    const { client } = this.#azure;
    client.on('connected', ({ connectionId }) => {
      this.#connectionId = connectionId;
      // Neither waits for the other, as in the page.
      void this.#join();
      this.#page.connected();
    });
    client.on('disconnected', () => {
      this.#connectionId = undefined;
      this.#joined = false;
      this.#page.disconnected();
      // The page stops its client here, which does nothing to one whose socket is gone: it connects anew.
      client.stop();
    });
    client.on('group-message', ({ message }) => {
      this.#onMessage(message.data);
    });
    await client.start();
    await this.#changes.until(() => this.#joined, 'the page to join', { timeoutMs: 20_000 });
  }

  async #join(): Promise<void> {
    try {
      await this.#azure.client.joinGroup(this.#options.group, { abortSignal: AbortSignal.timeout(20_000) });
      this.#joined = true;
      this.#changes.notify();
    } catch {
      // The page writes it to its console; the next connection joins again.
    }
  }

  /** A request whose failure the page only writes to its console. */
  #request(subject: string, body: unknown): void {
    this.send(subject, body).catch(() => undefined);
  }

  #onMessage(data: unknown): void {
    if (!isMessage(data)) {
      // Other pages of the group ask like this one does; a real page gets those, too, and they are for nobody's destination.
      if (isRequest(data)) this.#notForUs();
      else this.strange.push(data);
      return;
    }
    const { subject, body, destination } = data;
    if (destination !== 'broadcast' && destination !== this.#connectionId) {
      this.#notForUs();
      return;
    }
    if (!KNOWN.has(subject)) this.strange.push(data);
    const seen = { subject, body, destination };
    this.#seen.push(seen);
    for (const listener of this.#seenListeners) listener(seen);
    this.#page.received(subject, body);
    this.#changes.notify();
  }

  #notForUs(): void {
    this.notForUs += 1;
    for (const listener of this.#otherListeners) listener();
  }
}

function isMessage(data: unknown): data is Seen & { readonly source: string } {
  if (typeof data !== 'object' || data === null) return false;
  const { subject, source, destination } = data as Readonly<Record<string, unknown>>;
  return typeof subject === 'string' && source === 'controller' && typeof destination === 'string' && 'body' in data;
}

function isRequest(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'subject' in data && !('destination' in data);
}
