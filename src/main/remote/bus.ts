/**
 * The bus: NATS, whenever it is there. Looks for a server for ever, with jitter; says so once when it goes and once when
 * it is back; never throws, and never ends by itself.
 *
 * Every connection of the client has one life, and the loop here makes the next: the client's own reconnecting keeps what is
 * published meanwhile, without a bound, and would deliver a command minutes later. Here a message that cannot go now is
 * refused, and the caller is told.
 */
import type { LookupFunction } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from '../log.js';
import type { BusServer } from './bus-servers.js';
import { parseBusServer } from './bus-servers.js';
import { JsonText } from '../base/json.js';
import { isSubjectToken } from '../base/subject-token.js';
import type { JsonObject } from './messages.js';
import { dialNats } from './nats-transport.js';
import { isPlainToken } from './router.js';

export type BusState = 'down' | 'up';

/** `down`: no server; `full`: the server does not keep up; `refused`: not a subject, or too large for the server. */
export type PublishOutcome = 'published' | 'down' | 'full' | 'refused';

export interface BusSettings {
  /** `mQueueServers`, such as `nats://nats-server:4222`; tried in turn. */
  readonly servers: readonly string[];
  /** `mQueueClientID`: `ROOT.CLIENTID.*` is listened to. */
  readonly clientId: string;
  /** `mQueueSubjectRoot`. */
  readonly subjectRoot: string;
}

export interface BusTimings {
  /** One attempt, from the look-up to the first PONG, milliseconds. Default 5,000. */
  readonly connectTimeoutMs: number;
  /** Pause after a round of all servers, milliseconds; up to half of it again by chance. Default 2,000. */
  readonly retryMs: number;
  /** The server is asked so often whether it is there, milliseconds; two silences and it is not. Default 5,000. */
  readonly pingEveryMs: number;
  /** A drain on closing may take so long, milliseconds. Default 1,000. */
  readonly drainMs: number;
}

export const DEFAULT_BUS_TIMINGS: BusTimings = {
  connectTimeoutMs: 5_000,
  retryMs: 2_000,
  pingEveryMs: 5_000,
  drainMs: 1_000,
};

/** Published and not yet acknowledged by the server, bytes at most: a frozen server must not cost the memory of a Pi. */
const MAX_UNACKNOWLEDGED_BYTES = 4 * 1024 * 1024;

export interface BusOptions {
  readonly settings: BusSettings;
  readonly log: Logger;
  /** Name look-up with a deadline; `dns.lookup` has none. */
  readonly lookup: LookupFunction;
  /** PEM certificates to trust of a `tls://` server; undefined: Node's. */
  readonly ca?: string | undefined;
  readonly timings?: Partial<BusTimings>;
  /** From 0 to below 1; for the jitter. */
  readonly random?: () => number;
}

/** The last token of the subject, what was said, and a way to answer where one is asked for. */
type Arrived = readonly [token: string, data: Uint8Array, answer?: (payload: JsonObject) => void];

type Listener<Args extends readonly unknown[]> = (...args: Args) => void;

/** A connection and what was published on it without an answer yet. */
interface Link {
  readonly nats: NatsConnection;
  unacknowledged: number;
  flushing: boolean;
}

export class Bus {
  readonly #servers: readonly BusServer[];
  readonly #timings: BusTimings;
  readonly #messageListeners = new Set<Listener<Arrived>>();
  readonly #stateListeners = new Set<Listener<[BusState]>>();
  readonly #questionListeners = new Set<Listener<[Uint8Array]>>();
  /** Its abort ends the attempt, the pause or the connection at once. */
  #life = new AbortController();
  #closing = false;
  #link: Link | undefined;
  #loop: Promise<void> | undefined;
  /** So that the log says once that the bus is away, not at every try. */
  #said: BusState | 'nothing' = 'nothing';

  constructor(private readonly options: BusOptions) {
    this.#timings = { ...DEFAULT_BUS_TIMINGS, ...options.timings };
    const { servers, clientId, subjectRoot } = options.settings;
    this.#servers = servers.flatMap((text) => {
      const server = parseBusServer(text);
      // Not the text: it may hold a password.
      if (server === undefined)
        options.log.error({}, 'An entry of mQueueServers is no NATS server (nats://host:port); it is left out.');
      return server ?? [];
    });
    if (![clientId, ...subjectRoot.split('.')].every(isSubjectToken)) {
      options.log.error(
        { clientId, subjectRoot },
        'mQueueClientID and mQueueSubjectRoot may hold no blank, no dot, no * and no >; the bus stays away.',
      );
      this.#servers = [];
    }
  }

  get state(): BusState {
    return this.#link === undefined ? 'down' : 'up';
  }

  /** Begins to look for a server. Once. */
  start(): void {
    if (this.#loop !== undefined || this.#closing) return;
    if (this.#servers.length === 0) {
      this.options.log.error(
        {},
        'No usable server in mQueueServers: the components cannot be reached until it is corrected.',
      );
      return;
    }
    this.#loop = this.#run();
  }

  onMessage(listener: Listener<Arrived>): () => void {
    this.#messageListeners.add(listener);
    return () => this.#messageListeners.delete(listener);
  }

  /** Somebody else asks core whether it is there. */
  onForeignQuestion(listener: Listener<[data: Uint8Array]>): () => void {
    this.#questionListeners.add(listener);
    return () => this.#questionListeners.delete(listener);
  }

  onStateChange(listener: Listener<[BusState]>): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** Publishes on `ROOT.recipient.subject`, now or not at all. Never throws. */
  publish(recipient: string, subject: string, payload: JsonObject | JsonText): PublishOutcome {
    // Checked once more at the last door, whoever calls.
    if (!isPlainToken(recipient) || !isPlainToken(subject)) return 'refused';
    return this.#publish(`${this.options.settings.subjectRoot}.${recipient}.${subject}`, payload);
  }

  /** The same on `ROOT.CLIENTID.subject`, for whoever listens. */
  announce(subject: string, payload: JsonObject): PublishOutcome {
    const { subjectRoot, clientId } = this.options.settings;
    return isPlainToken(subject) ? this.#publish(`${subjectRoot}.${clientId}.${subject}`, payload) : 'refused';
  }

  #publish(subject: string, payload: JsonObject | JsonText): PublishOutcome {
    const link = this.#link;
    if (link === undefined || link.nats.isClosed() || link.nats.isDraining()) return 'down';
    try {
      const data = Buffer.from(payload instanceof JsonText ? payload.text : JSON.stringify(payload));
      if (data.byteLength > (link.nats.info?.max_payload ?? Infinity)) return 'refused';
      if (link.unacknowledged + data.byteLength > MAX_UNACKNOWLEDGED_BYTES) return 'full';
      link.nats.publish(subject, data);
      link.unacknowledged += data.byteLength;
      this.#acknowledge(link);
      return 'published';
    } catch (error) {
      this.options.log.debug({ err: error }, 'The bus did not take a message.');
      return 'down';
    }
  }

  /** What was published is flushed, within a deadline; then nothing is left. Never rejects. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      if (this.#link !== undefined) {
        const drained = this.#link.nats.drain().catch(() => undefined);
        await within(drained, this.#timings.drainMs);
      }
      this.#life.abort(new Error('The bus is being closed'));
    }
    await this.#loop;
    this.#messageListeners.clear();
    this.#stateListeners.clear();
    this.#questionListeners.clear();
  }

  async #run(): Promise<void> {
    let failedInARow = 0;
    while (!this.#closing) {
      const server = this.#servers[failedInARow % this.#servers.length];
      if (server === undefined) return;
      this.#life = new AbortController();
      const outcome = await this.#live(server, this.#life.signal);
      failedInARow = outcome === 'lived' ? 0 : failedInARow + 1;
      // Servers of one round follow each other at once; the pause is between the rounds.
      if (failedInARow % this.#servers.length !== 0) continue;
      const jitter = 1 + (this.options.random ?? Math.random)() / 2;
      await pause(this.#timings.retryMs * jitter, this.#life.signal);
    }
  }

  /** One connection, from the first packet to its end. */
  async #live(server: BusServer, signal: AbortSignal): Promise<'lived' | 'failed'> {
    const { clientId, subjectRoot } = this.options.settings;
    try {
      const { user, pass, token } = server;
      const nats = await dialNats(
        {
          name: clientId,
          // What we publish does not come back, so a question to core that we hear is not ours.
          noEcho: true,
          pingInterval: this.#timings.pingEveryMs,
          maxPingOut: 2,
          ...(token !== undefined && { token }),
          ...(user !== undefined && { user }),
          ...(pass !== undefined && { pass }),
        },
        {
          host: server.host,
          port: server.port,
          tls: server.tls,
          ca: this.options.ca,
          lookup: this.options.lookup,
          timeoutMs: this.#timings.connectTimeoutMs,
          signal,
        },
      );
      nats.subscribe(`${subjectRoot}.${clientId}.*`, {
        callback: (error, message) => {
          if (error === null) this.#deliver(message.subject, message.data, message.reply);
          else
            this.options.log.error(
              { err: error },
              'The NATS server does not let this client listen; look at its permissions.',
            );
        },
      });
      nats.subscribe(`${subjectRoot}.core.heartbeat`, {
        callback: (error, { data }) => {
          if (error !== null)
            this.options.log.debug({ err: error }, 'Whether another remote is on the bus is not known.');
          else for (const listener of this.#questionListeners) this.#call(() => listener(data));
        },
      });
      // The subscription has reached the server before anybody asks a component anything.
      await Promise.race([nats.flush(), nats.closed()]);
      if (nats.isClosed()) throw new Error('The server closed the connection at once');
      this.#link = { nats, unacknowledged: 0, flushing: false };
      this.#say('up', server);
      const failure = await nats.closed();
      this.#link = undefined;
      this.#say('down', server, failure ?? undefined);
      return 'lived';
    } catch (error) {
      this.#say('down', server, error);
      return 'failed';
    }
  }

  #say(state: BusState, { name }: BusServer, failure?: unknown): void {
    const { log } = this.options;
    const reason = failure instanceof Error ? failure.message : failure === undefined ? undefined : 'unknown';
    const fields = { server: name, ...(reason === undefined ? {} : { reason }) };
    if (this.#closing) return;
    if (this.#said === state) {
      log.debug(fields, 'The bus is still away.');
      return;
    }
    this.#said = state;
    if (state === 'up') log.info(fields, 'The bus is there: listening for the components.');
    else
      log.warn(
        fields,
        'The bus is not there; it is tried again for ever, commands from browsers are dropped meanwhile.',
      );
    for (const listener of this.#stateListeners) this.#call(() => listener(state));
  }

  #deliver(subject: string, data: Uint8Array, replyTo: string | undefined): void {
    const token = subject.slice(subject.lastIndexOf('.') + 1);
    const answer =
      replyTo === undefined || replyTo === '' ? [] : [(payload: JsonObject) => void this.#publish(replyTo, payload)];
    for (const listener of this.#messageListeners) this.#call(() => listener(token, data, ...answer));
  }

  /** A listener that throws would end the client's reading loop, and with it the connection. */
  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.options.log.error({ err: error }, 'A message of the bus could not be handled; the next one is.');
    }
  }

  /** One PING follows what was published; its PONG says that all of it arrived. */
  #acknowledge(link: Link): void {
    if (link.flushing) return;
    link.flushing = true;
    const covered = link.unacknowledged;
    // Never settles if the connection ends first; the link goes with it.
    link.nats.flush().then(
      () => {
        link.flushing = false;
        link.unacknowledged -= covered;
        if (link.unacknowledged > 0 && !link.nats.isClosed()) this.#acknowledge(link);
      },
      () => undefined,
    );
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  // What has been aborted already tells nobody any more.
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}

async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, deadline]);
  clearTimeout(timer);
}
