/** A connection of our own to the bus, closed again: only where the service cannot tell. */
import { describeError } from '../../base/guard.js';
import { createLocalLookup } from '../../net/local-lookup.js';
import { SystemNames } from '../../net/system-names.js';
import { parseBusServer } from '../../remote/bus-servers.js';
import { COMPONENTS, type Component } from '../../remote/messages.js';
import { dialNats } from '../../remote/nats-transport.js';
import type { Settings } from '../../settings.js';

export interface BusTrialOptions {
  readonly settings: Pick<Settings, 'mQueueServers' | 'mQueueClientID' | 'mQueueSubjectRoot'>;
  readonly ca: string;
  /** Ask core and scheduler whether they are there. */
  readonly askComponents: boolean;
  readonly signal: AbortSignal;
}

export interface BusTrial {
  readonly outcome: 'up' | 'away' | 'denied' | 'misconfigured';
  /** The server, without credentials. */
  readonly server: string;
  readonly message: string;
  /** Who has said anything; undefined: nobody was asked. */
  readonly heard: ReadonlySet<Component> | undefined;
}

/** Deadlines, milliseconds. */
const CONNECT_MS = 2_500;
const LOOKUP_MS = 1_200;
const HEAR_MS = 2_000;
/** A component answers whoever asks, and a remote that hears this takes nobody for a second remote. */
const WE = 'doctor';

/** Never rejects. */
export async function tryBus(options: BusTrialOptions): Promise<BusTrial> {
  const servers = options.settings.mQueueServers.flatMap((text) => parseBusServer(text) ?? []);
  const [first] = servers;
  if (first === undefined)
    return { outcome: 'misconfigured', server: '', message: 'no server in mQueueServers', heard: undefined };
  let failure: BusTrial | undefined;
  for (const server of servers) {
    const trial = await tryServer(options, server);
    if (trial.outcome === 'up') return trial;
    failure ??= trial;
  }
  return failure ?? { outcome: 'away', server: first.name, message: '', heard: undefined };
}

async function tryServer(
  { settings, ca, askComponents, signal }: BusTrialOptions,
  { host, port, tls, user, pass, token, name }: NonNullable<ReturnType<typeof parseBusServer>>,
): Promise<BusTrial> {
  const { mQueueClientID: clientId, mQueueSubjectRoot: root } = settings;
  const life = new AbortController();
  const system = new SystemNames();
  try {
    const nats = await dialNats(
      {
        name: `${clientId}-${WE}`,
        noEcho: true,
        ...(token !== undefined && { token }),
        ...(user !== undefined && { user }),
        ...(pass !== undefined && { pass }),
      },
      {
        host,
        port,
        tls,
        ca,
        lookup: createLocalLookup({ timeoutMs: LOOKUP_MS, system }),
        timeoutMs: CONNECT_MS,
        signal: AbortSignal.any([signal, life.signal]),
      },
    );
    const heard = new Set<Component>();
    let denied: string | undefined;
    const everybody = new Promise<void>((resolve) => {
      nats.subscribe(`${root}.${clientId}.*`, {
        callback: (error, message) => {
          if (error !== null) denied = describeError(error);
          else for (const one of COMPONENTS) if (saidBy(message.data) === one) heard.add(one);
          if (heard.size === COMPONENTS.length) resolve();
        },
      });
    });
    await nats.flush();
    if (denied === undefined && askComponents) {
      const question = JSON.stringify({ body: 'are you there?', subject: 'heartbeat', source: WE });
      for (const one of COMPONENTS) nats.publish(`${root}.${one}.heartbeat`, question);
      await Promise.race([everybody, nats.closed(), pause(HEAR_MS, signal)]);
    }
    return {
      outcome: denied === undefined ? 'up' : 'denied',
      server: name,
      message: denied ?? '',
      heard: askComponents ? heard : undefined,
    };
  } catch (error) {
    return { outcome: 'away', server: name, message: describeError(error), heard: undefined };
  } finally {
    life.abort();
    system.stop();
  }
}

function saidBy(data: Uint8Array): unknown {
  try {
    const message: unknown = JSON.parse(Buffer.from(data).toString('utf8'));
    return typeof message === 'object' && message !== null && 'source' in message ? message.source : undefined;
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
