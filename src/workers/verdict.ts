/**
 * From evidence to verdict. Pure: what a check saw, what the kernel says and what was so far, in; the verdict and whether it
 * wants a second look, out.
 */
import { isRefusal } from './net/refusal.js';
import type {
  DnsEvidence,
  HttpsEvidence,
  LinkEvidence,
  OfflineReason,
  PortalEvidence,
  VerdictState,
} from './protocol.js';

export interface VerdictPolicy {
  /** Checks in a row that must fail before the verdict is offline. */
  readonly failuresToOffline: number;
  /** Checks in a row that must succeed before the verdict is online. */
  readonly successesToOnline: number;
}

/** The verdict and what it rests on. */
export interface VerdictMemory {
  readonly state: VerdictState;
  /** Checks in a row that failed, and that succeeded: one of them is 0. */
  readonly failures: number;
  readonly successes: number;
  /**
   * False once a check succeeded although the kernel's tables showed no way out: then its word needs confirming as any other
   * failure does, until its tables show a way again.
   */
  readonly linkTrusted: boolean;
}

export interface Outcome {
  readonly memory: VerdictMemory;
  /** The verdict is another one than before. */
  readonly changed: boolean;
  /** The check is to be confirmed by another, soon. */
  readonly confirm: boolean;
}

/** A check as far as the verdict is concerned. */
export interface Checked {
  readonly ok: boolean;
  /** Set when not ok, unless `refused` is. */
  readonly reason?: OfflineReason | undefined;
  /** See {@link refusedCall}. */
  readonly refused?: string | undefined;
  /** It succeeded although the kernel had shown no way out from before its start on. */
  readonly contradictsLink?: boolean;
}

export function initialMemory(state: VerdictState): VerdictMemory {
  return { state, failures: 0, successes: 0, linkTrusted: true };
}

export function onChecked(memory: VerdictMemory, check: Checked, policy: VerdictPolicy, wallMs: number): Outcome {
  const { verdict } = memory.state;
  if (check.ok) {
    const successes = memory.successes + 1;
    const linkTrusted = memory.linkTrusted && check.contradictsLink !== true;
    const next = { ...memory, failures: 0, successes, linkTrusted };
    if (verdict === 'online') return { memory: next, changed: false, confirm: false };
    if (successes < policy.successesToOnline) return { memory: next, changed: false, confirm: true };
    return { memory: { ...next, state: { verdict: 'online', sinceMs: wallMs } }, changed: true, confirm: false };
  }
  // Our own trouble is never a verdict: what was so stays so.
  if (check.refused !== undefined) return { memory, changed: false, confirm: false };
  const failures = memory.failures + 1;
  const reason = check.reason ?? 'http-timeout';
  const next = { ...memory, failures, successes: 0 };
  if (verdict === 'offline') {
    return { memory: { ...next, state: { ...memory.state, reason } }, changed: false, confirm: false };
  }
  if (failures < policy.failuresToOffline) return { memory: next, changed: false, confirm: true };
  return offline(next, reason, wallMs);
}

/** The kernel has shown no way out for its hold time. */
export function onLinkHeld(memory: VerdictMemory, reason: OfflineReason, wallMs: number): Outcome {
  if (memory.state.verdict === 'offline') {
    return { memory: { ...memory, state: { ...memory.state, reason } }, changed: false, confirm: false };
  }
  if (!memory.linkTrusted) return { memory, changed: false, confirm: true };
  return offline({ ...memory, successes: 0 }, reason, wallMs);
}

/** The kernel shows a way out again. */
export function onLinkBack(memory: VerdictMemory): VerdictMemory {
  return { ...memory, linkTrusted: true };
}

function offline(memory: VerdictMemory, reason: OfflineReason, wallMs: number): Outcome {
  return {
    memory: { ...memory, state: { verdict: 'offline', reason, sinceMs: wallMs } },
    changed: true,
    confirm: false,
  };
}

/**
 * The code of a call that this machine refused, without which a failed check says nothing about the internet; undefined if it says
 * something all the same: the kernel's tables show no way out, or another try reached the network.
 */
export function refusedCall(
  link: LinkEvidence | undefined,
  dns: DnsEvidence | undefined,
  https: readonly HttpsEvidence[],
): string | undefined {
  if (link?.reason !== undefined) return undefined;
  const fresh = https.filter((one) => !one.ok && !one.reused);
  const decisive = fresh.length > 0 ? fresh : dns?.ok === false ? [dns] : https.filter((one) => !one.ok);
  return decisive.every(({ error }) => isRefusal(error)) ? decisive[0]?.error : undefined;
}

/** How far a try got, so that the most telling one of several names the reason. */
const DEPTH = { tcp: 1, proxy: 2, tls: 3, http: 4 } as const;

/**
 * Why a check failed. What needs no packet comes first; then a portal by its own word, somebody else's certificate or a wrong clock, which
 * explain all the rest; then the names; then the try that got furthest.
 */
export function reasonOf(
  link: LinkEvidence | undefined,
  dns: DnsEvidence | undefined,
  https: readonly HttpsEvidence[],
  portal?: PortalEvidence,
): OfflineReason {
  if (link?.reason !== undefined) return link.reason;
  if (portal?.sign === 'portal') return 'portal';
  const reason = reasonOfTries(dns, https);
  return portal?.sign === 'page' && isShutOut(reason, https) ? 'portal' : reason;
}

/** HTTPS was refused, dropped or garbled. Not among them: a stall, which a line that loses large packets shows as well. */
function isShutOut(reason: OfflineReason, https: readonly HttpsEvidence[]): boolean {
  if (reason === 'tcp-timeout' || reason === 'tcp-refused') return true;
  const garbled = https.some(
    ({ failedAt, error = '' }) =>
      failedAt === 'tls' && (error === 'ECONNRESET' || error === 'EPROTO' || error.startsWith('ERR_SSL_')),
  );
  return reason === 'tls-failed' && garbled;
}

/** Reasons that explain all the rest. */
const TELLING: ReadonlySet<OfflineReason> = new Set(['portal', 'no-ca-store', 'clock']);

function reasonOfTries(dns: DnsEvidence | undefined, https: readonly HttpsEvidence[]): OfflineReason {
  const failed = https.filter((one) => !one.ok);
  const telling = failed.find(({ reason = 'http-timeout' }) => TELLING.has(reason));
  if (telling?.reason !== undefined) return telling.reason;
  // Set although there are addresses: they are none that a site could have, and none has proved to be one.
  if (dns?.trouble !== undefined) return dns.trouble === 'silent' ? 'dns-timeout' : 'dns-failed';
  if (dns !== undefined && !dns.ok) return dns.error === 'ETIMEOUT' ? 'dns-timeout' : 'dns-failed';
  // A kept connection that died only says that it died.
  const fresh = failed.filter((one) => !one.reused);
  const [furthest] = (fresh.length > 0 ? fresh : failed).sort((a, b) => depthOf(b) - depthOf(a));
  return furthest?.reason ?? 'http-timeout';
}

function depthOf({ failedAt, reason, error }: HttpsEvidence): number {
  // It never reached the network.
  if (isRefusal(error)) return -1;
  // Refused by one address and silence from another: the refusal is the answer.
  return (failedAt === undefined ? 0 : DEPTH[failedAt] * 2) + (reason === 'tcp-refused' ? 1 : 0);
}
