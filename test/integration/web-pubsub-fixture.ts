/** What every test of the adapter needs: a session's events, a log that is kept, waiting for something to become true. */
import type { ClientAccessUrl, ClientAccessUrlProvider } from '../../src/main/connection/credentials/provider.js';
import type { Session, SessionEvent } from '../../src/main/connection/session.js';
import { createOpenSession, type WebPubSubOptions } from '../../src/main/connection/web-pubsub.js';
import { gathered } from '../support/everything-logged.js';

export interface Logged {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export class Fixture {
  readonly events: SessionEvent[] = [];
  readonly logged: Logged[] = [];
  readonly refused: string[] = [];
  readonly abort = new AbortController();
  readonly credentials: ClientAccessUrlProvider;
  mayOpen = true;
  onEvent: (event: SessionEvent) => void = () => undefined;
  readonly #sessions: Session[] = [];
  #waiting: (() => void)[] = [];

  constructor(get: string | ((signal: AbortSignal) => Promise<ClientAccessUrl>)) {
    this.credentials = {
      description: 'a test',
      get: typeof get === 'string' ? () => Promise.resolve({ url: get, cached: false }) : get,
      served: () => undefined,
      mended: () => undefined,
      signInAllowedInMs: 0,
      refused: ({ url }) => void this.refused.push(url),
    };
  }

  async open(options: Partial<WebPubSubOptions> = {}): Promise<Session> {
    const log =
      (level: string) =>
      (fields: object, message: string): void =>
        void this.logged.push({ level, fields, message });
    const session = await createOpenSession({
      credentials: this.credentials,
      group: 'g',
      mayOpen: () => this.mayOpen,
      recoverySpacingMs: 20,
      log: gathered({ debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }),
      ...options,
    })({
      signal: this.abort.signal,
      onEvent: (event) => {
        this.events.push(event);
        this.onEvent(event);
        for (const look of this.#waiting) look();
      },
    });
    this.#sessions.push(session);
    return session;
  }

  /** Gives up what is being opened and what was. */
  async close(): Promise<void> {
    this.abort.abort();
    await Promise.all(this.#sessions.map((session) => session.dispose()));
  }

  get kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  get data(): unknown[] {
    return this.events.flatMap((event) => (event.kind === 'message' ? [event.message.data] : []));
  }

  /** Resolves when `enough` holds; it is looked at after each event. The test's own time-out is the deadline. */
  until(enough: () => boolean): Promise<void> {
    if (enough()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!enough()) return;
        this.#waiting = this.#waiting.filter((other) => other !== look);
        resolve();
      };
      this.#waiting.push(look);
    });
  }

  count(kind: SessionEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }
}

/** Polls for what no event announces. The test's own time-out is the deadline. */
export async function eventually(enough: () => boolean): Promise<void> {
  while (!enough()) await pause(5);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
