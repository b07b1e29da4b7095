/**
 * Name resolution with an exact deadline, by c-ares instead of `dns.lookup`: getaddrinfo has no deadline, and a name
 * server that is silent would occupy the thread pool which both threads share.
 */
import { codeOf } from './error-code.js';
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { DnsEvidence } from '../protocol.js';
import { Agenda } from './agenda.js';
import { lookInHostsFile } from './hosts-file.js';
import { interfacesNow } from './interfaces.js';
import { troubleOf, type ResolvConfTrouble } from './name-answers.js';
import { lookAtResolvConf } from './resolv-conf.js';
import { whySocketsAreRefused } from './socket-trial.js';

/** Which record types are worth a query. */
export interface Families {
  readonly v4: boolean;
  readonly v6: boolean;
}

export interface ResolveOptions {
  /** A name, or an IP literal (without brackets), which needs no query. */
  readonly host: string;
  /** Exact deadline over everything, milliseconds. */
  readonly timeoutMs: number;
  /** `address` or `address:port`; empty or undefined: the system's, as they are now. */
  readonly nameServers?: readonly string[];
  /** Default: {@link usableFamilies} of this machine, now. */
  readonly families?: Families;
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string;
  /** Default `/etc/resolv.conf`. Only looked at here: c-ares reads its own. */
  readonly resolvConf?: string;
  /** Gives up at once; the evidence then says `ECANCELLED`. */
  readonly signal?: AbortSignal;
  /** What is due in the work that this is part of. Default: one of its own. */
  readonly agenda?: Agenda;
}

/** How long the faster of A and AAAA waits for the slower (RFC 8305, section 3). */
const RESOLUTION_DELAY_MS = 50;
/** How long one family's "no such name" waits for the other: some servers say it of AAAA where they mean "no such address" (RFC 4074, section 4.2). */
const DENIAL_DELAY_MS = 500;
const CARES_MAX_TIMEOUT_MS = 5000;
/** Servers of resolv.conf that are asked (the C library, too, takes three). */
const MAX_SERVERS = 3;
/** Addresses that are handed on, at most. */
const MAX_ADDRESSES = 8;

/**
 * Finds the addresses of a host. Never rejects, never takes longer than `timeoutMs`.
 *
 * The first server is asked for A and AAAA together. While it is silent the next one is asked beside it, and the first once
 * more at the end (a lost datagram), at even times within the deadline; what comes late still counts. A server that
 * answers with a failure of its own (SERVFAIL, REFUSED, port closed) hands over to the next at once.
 */
export async function resolveHost(options: ResolveOptions): Promise<DnsEvidence> {
  const startedAt = performance.now();
  const found = (
    addresses: readonly string[],
    servers: readonly string[],
    error?: string,
    resolvConf?: ResolvConfTrouble,
  ): DnsEvidence => {
    const ok = addresses.length > 0;
    const trouble = troubleOf({ ok, servers, ...(error === undefined ? {} : { error }) }, resolvConf);
    return {
      phase: 'dns',
      ok,
      ms: Math.round(performance.now() - startedAt),
      addresses: addresses.slice(0, MAX_ADDRESSES),
      servers,
      ...(error === undefined ? {} : { error }),
      ...(trouble === undefined ? {} : { trouble }),
    };
  };

  const known = addressesWithoutQuery(options.host);
  if (known !== undefined) return found(known, []);

  const hosts = lookInHostsFile(options.hostsFile ?? '/etc/hosts', options.host);
  const looked = lookAtResolvConf(options.resolvConf ?? '/etc/resolv.conf');
  const [inHosts, conf] =
    hosts instanceof Promise || looked instanceof Promise
      ? ((await within(options.timeoutMs, Promise.all([hosts, looked]))) ?? [])
      : [hosts, looked];
  if (options.signal?.aborted === true) return found([], [], 'ECANCELLED');
  if (inHosts !== undefined && inHosts.length > 0) return found(inHosts, []);
  // Whoever is told its name servers does without the file, unless it would hang whoever reads it.
  const given = options.nameServers !== undefined && options.nameServers.length > 0;
  const trouble = given && conf !== 'resolv-conf-endless' ? undefined : conf;
  if (trouble === 'resolv-conf-endless') return found([], [], 'EFILE', trouble);

  const leftMs = options.timeoutMs - (performance.now() - startedAt);
  let servers: readonly string[] = [];
  try {
    const resolver = makeResolver(leftMs);
    servers = serversToAsk(options.nameServers, resolver);
    const { addresses, error } = await askInTurn(options, servers, Math.max(1, leftMs), resolver);
    // c-ares says the same of a server that refuses and of a socket that this machine refuses.
    const refusal = error === 'ECONNREFUSED' ? await whySocketsAreRefused(servers) : undefined;
    return found(addresses, servers, refusal ?? error, trouble);
  } catch (error) {
    // A server's address that c-ares does not take, or resolv.conf in a state it cannot read; or it could not be read for want of a handle.
    const refusal = await whySocketsAreRefused(servers.length > 0 ? servers : ['127.0.0.1']);
    return found([], servers, refusal ?? codeOf(error) ?? 'EUNKNOWN', trouble);
  }
}

/**
 * AAAA is worth a query only if this machine has an IPv6 address of more than its own link, A likewise; each query
 * not sent saves 170 bytes of a metered line. A machine with neither (or with loopback only, or that does not tell) asks for both.
 */
export function usableFamilies(interfaces = interfacesNow()): Families {
  const addresses = Object.values(interfaces ?? {})
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal);
  const v4 = addresses.some(({ family, address }) => family === 'IPv4' && !address.startsWith('169.254.'));
  const v6 = addresses.some(({ family, address }) => family === 'IPv6' && !/^fe[89ab]/i.test(address));
  return v4 || v6 ? { v4, v6 } : { v4: true, v6: true };
}

function addressesWithoutQuery(host: string): string[] | undefined {
  if (isIP(host) !== 0) return [host];
  const name = host.toLowerCase().replace(/\.$/, '');
  // RFC 6761: never a question for a name server.
  if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1'];
  return undefined;
}

/**
 * c-ares' own clock ticks once a second and must not decide: our timer does, by cancel(). So its time-out is as long as it takes
 * (5 s; it cuts more to that), repeated until it is beyond the deadline.
 */
function makeResolver(timeoutMs: number): Resolver {
  return new Resolver({ timeout: CARES_MAX_TIMEOUT_MS, tries: 1 + Math.ceil(timeoutMs / CARES_MAX_TIMEOUT_MS) });
}

/** A resolver keeps the servers of the moment it was made, so the system's are those of a `fresh` one. */
function serversToAsk(nameServers: readonly string[] | undefined, fresh: Resolver): string[] {
  const servers = nameServers !== undefined && nameServers.length > 0 ? nameServers : fresh.getServers();
  return servers.slice(0, MAX_SERVERS);
}

type Answer =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  /** The name has no address: the word of the name's own servers, which nobody else would say otherwise. */
  | { readonly kind: 'none'; readonly error: string }
  /** This server does not serve us; another may. */
  | { readonly kind: 'useless'; readonly error: string };

function askInTurn(
  options: ResolveOptions,
  servers: readonly string[],
  timeoutMs: number,
  firstResolver: Resolver,
): Promise<{ addresses: readonly string[]; error?: string }> {
  const families = options.families ?? usableFamilies();
  const { signal, agenda = new Agenda() } = options;
  return new Promise((resolve, reject) => {
    const turns = [...servers, ...servers.slice(0, 1)];
    // To make one reads the system's files again, so the one that there is serves first.
    let made: Resolver | undefined = firstResolver;
    const running = new Set<Query>();
    const useless = new Map<string, string>();
    const due: (() => void)[] = [];

    const settle = (finish: () => void): void => {
      for (const remove of due) remove();
      signal?.removeEventListener('abort', onAbort);
      for (const query of running) query.cancel();
      running.clear();
      finish();
    };
    const end = (addresses: readonly string[], error?: string): void =>
      settle(() => resolve({ addresses, ...(error === undefined ? {} : { error }) }));
    const onAbort = (): void => end([], 'ECANCELLED');

    const askNext = (): void => {
      const server = turns.shift();
      if (server === undefined) return;
      if (useless.has(server)) {
        askNext();
        return;
      }
      let query: Query;
      try {
        const resolver = made ?? makeResolver(timeoutMs);
        made = undefined;
        query = askServer(options.host, server, families, resolver, (answer) => {
          running.delete(query);
          if (answer.kind === 'addresses') end(answer.addresses);
          else if (answer.kind === 'none') end([], answer.error);
          else {
            useless.set(server, answer.error);
            askNext();
            if (running.size === 0) end([], answer.error);
          }
        });
      } catch (error) {
        settle(() => reject(error instanceof Error ? error : new Error(String(error))));
        return;
      }
      running.add(query);
    };

    const spacingMs = timeoutMs / turns.length;
    turns.forEach((_, turn) => {
      if (turn > 0) due.push(agenda.after(turn * spacingMs, askNext));
    });
    due.push(agenda.after(timeoutMs, () => end([], [...useless.values()].at(-1) ?? 'ETIMEOUT')));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (turns.length === 0) end([], 'ENOSERVERS');
    else askNext();
  });
}

interface Query {
  cancel(): void;
}

/** One question to one server. `onAnswer` is called once at most, never after `cancel`, never synchronously. */
function askServer(
  host: string,
  server: string,
  families: Families,
  resolver: Resolver,
  onAnswer: (answer: Answer) => void,
): Query {
  // setServers drops the scope of a link-local server (fe80::1%wlan0); that one is left to c-ares' own list.
  if (!server.includes('%')) resolver.setServers([server]);

  const open = new Map<4 | 6, Promise<string[]>>();
  if (families.v6) open.set(6, resolver.resolve6(host));
  if (families.v4) open.set(4, resolver.resolve4(host));
  const addresses: Record<4 | 6, readonly string[]> = { 4: [], 6: [] };
  const errors: string[] = [];
  let over = false;
  let delay: NodeJS.Timeout | undefined;

  const finish = (): void => {
    if (over) return;
    over = true;
    clearTimeout(delay);
    if (open.size > 0) resolver.cancel();
    onAnswer(answerOf(interleave(addresses[6], addresses[4]), errors));
  };
  const settled = (family: 4 | 6): void => {
    open.delete(family);
    const decided = addresses[4].length > 0 || addresses[6].length > 0;
    if (open.size === 0) finish();
    else if (decided) delay ??= setTimeout(finish, RESOLUTION_DELAY_MS);
    else if (errors.includes('ENOTFOUND')) delay ??= setTimeout(finish, DENIAL_DELAY_MS);
  };
  for (const [family, promise] of open) {
    promise.then(
      (list) => {
        addresses[family] = list;
        if (list.length === 0) errors.push('ENODATA');
        settled(family);
      },
      (error: unknown) => {
        errors.push(codeOf(error) ?? 'EUNKNOWN');
        settled(family);
      },
    );
  }
  return {
    cancel: () => {
      if (over) return;
      over = true;
      clearTimeout(delay);
      resolver.cancel();
    },
  };
}

function answerOf(addresses: readonly string[], errors: readonly string[]): Answer {
  if (addresses.length > 0) return { kind: 'addresses', addresses };
  if (errors.includes('ENOTFOUND')) return { kind: 'none', error: 'ENOTFOUND' };
  const trouble = errors.find((error) => error !== 'ENODATA');
  return trouble === undefined ? { kind: 'none', error: 'ENODATA' } : { kind: 'useless', error: trouble };
}

/** IPv6 first, then by turns (RFC 8305, section 4). */
function interleave(first: readonly string[], second: readonly string[]): string[] {
  const longer = Math.max(first.length, second.length);
  return Array.from({ length: longer }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((address) => address !== undefined);
}

/** What the promise gives, or undefined once `ms` have passed; it is not given up. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
