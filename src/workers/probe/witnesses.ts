/**
 * Asks other hosts than the test site's for a verified TLS handshake: the internet's second proof. One answer is enough. No request is
 * sent. Never rejects; bounded by twice the time-out, and by one where nobody has opened TCP by then.
 */
import type { LookupFunction } from 'node:net';
import { isIP, isIPv6 } from 'node:net';
import { connect, type CancellableLookup } from '../net/connect.js';
import { DeadlineError } from '../net/open-address.js';
import { resolveHost } from '../net/resolve.js';
import type { HostAndPort, ProxySettings, WitnessEvidence } from '../protocol.js';

/** Time one witness has before the next is asked beside it, milliseconds: each handshake is some 5 kB of a metered line. */
const NEXT_AFTER_MS = 300;

export interface AskOptions {
  /** In the order in which they are asked. */
  readonly witnesses: readonly HostAndPort[];
  readonly lookup: LookupFunction;
  readonly proxy?: ProxySettings | undefined;
  /** PEM certificates to trust instead of Node's bundled ones; undefined: Node's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
  /** Gives all of them up. */
  readonly signal: AbortSignal;
}

/** Resolves with the first answer and the failures before it, or with all failures. */
export function askWitnesses(options: AskOptions): Promise<readonly WitnessEvidence[]> {
  const { witnesses, timeoutMs, signal } = options;
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  return new Promise((resolve) => {
    const seen: WitnessEvidence[] = [];
    const left = [...witnesses];
    let running = 0;
    let progressed = false;
    let next: NodeJS.Timeout | undefined;
    const finish = (): void => {
      for (const timer of [next, ...deadlines]) clearTimeout(timer);
      enough.abort();
      resolve(seen);
    };
    const timeUp = (): void => enough.abort(new DeadlineError('time is up'));
    const deadlines = [
      setTimeout(() => {
        if (!progressed) timeUp();
      }, timeoutMs),
      setTimeout(timeUp, 2 * timeoutMs),
    ];
    const askNext = (): void => {
      clearTimeout(next);
      const witness = left.shift();
      if (witness === undefined || either.aborted) {
        if (running === 0) finish();
        return;
      }
      running += 1;
      const onProgress = (): void => {
        progressed = true;
      };
      void ask(witness, options, either, onProgress).then((evidence) => {
        running -= 1;
        // What was given up because another had answered tells nothing.
        if (enough.signal.aborted && seen.some(({ ok }) => ok)) return;
        seen.push(evidence);
        if (evidence.ok) finish();
        else askNext();
      });
      if (left.length > 0) next = setTimeout(askNext, NEXT_AFTER_MS);
    };
    askNext();
  });
}

async function ask(
  { host, port }: HostAndPort,
  { lookup, proxy, ca }: AskOptions,
  signal: AbortSignal,
  onProgress: () => void,
): Promise<WitnessEvidence> {
  const startedAt = performance.now();
  const opened = await connect({
    host,
    port,
    lookup,
    proxy,
    tls: { ALPNProtocols: ['http/1.1'], ...(ca === undefined ? {} : { ca }) },
    signal,
    onPhase: (phase) => {
      if (phase !== 'tcp') onProgress();
    },
  });
  const common = {
    phase: 'witness',
    host: nameOf({ host, port }),
    ms: Math.round(performance.now() - startedAt),
  } as const;
  if (opened.ok) {
    opened.socket.destroy();
    return { ...common, ok: true };
  }
  const { code } = opened.error as { readonly code?: unknown };
  return { ...common, ok: false, failedAt: opened.at, error: typeof code === 'string' ? code : 'ECONNECTION' };
}

/** The bounded resolver, as `net.connect` wants it. A question is given up with whoever asks: a thread that ends with one on its way can abort the process. */
export function lookupOf(timeoutMs: number, nameServers: readonly string[]): LookupFunction {
  return (host, options, callback) => {
    const { signal } = options as Partial<CancellableLookup>;
    void resolveHost({ host, timeoutMs, nameServers, ...(signal === undefined ? {} : { signal }) }).then(
      ({ addresses, error }) => {
        if (addresses.length > 0)
          callback(
            null,
            addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 })),
          );
        else callback(Object.assign(new Error(`${host} has no address`), { code: error ?? 'ENODATA' }), []);
      },
    );
  };
}

function nameOf({ host, port }: HostAndPort): string {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === 443 ? name : `${name}:${port}`;
}
