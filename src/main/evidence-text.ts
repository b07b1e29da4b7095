/** The evidence of a check in words, a line a phase, and what can be done about it. Pure. */
import type {
  CheckEvidence,
  DnsEvidence,
  HttpsEvidence,
  LiveAnswer,
  LinkEvidence,
  PacketEvidence,
  PortalEvidence,
  Uplink,
  VerdictState,
  WitnessEvidence,
} from '../workers/protocol.js';
import { loginAdvice, nameAdvice, proxyAdvice, reasonAdvice, uplinkAdvice } from './troubles.js';

const LEAST_MTU = 1_280;
/** Linux takes no less as net.ipv4.tcp_base_mss than what fits into 576 bytes of IPv4 anywhere; IPv6's header is 20 more. */
const LEAST_MSS = 500;
const HEADERS_OF_TCP = 72;

/** For people: `dns   ok      12 ms  203.0.113.7 (asked 192.0.2.53)`. */
export function evidenceLines(evidence: CheckEvidence): string[] {
  const lines: string[] = [];
  const { link, dns, https } = evidence;
  if (link !== undefined) lines.push(row('link', link.ok, undefined, linkWords(link)));
  if (dns !== undefined) lines.push(row('dns', dns.ok, dns.ms, dnsWords(dns)));
  for (const attempt of https) lines.push(...httpsRows(attempt));
  const { portal } = evidence;
  if (portal !== undefined) lines.push(row('plain', portal.sign === 'nothing', portal.ms, portalWords(portal)));
  const { packets } = evidence;
  if (packets !== undefined) lines.push(row('large', packets.ok, undefined, packetWords(packets)));
  if (evidence.live !== undefined)
    lines.push(row('live', evidence.live === 'answered', undefined, liveWords(evidence.live)));
  for (const one of evidence.witnesses ?? []) lines.push(row('other', one.ok, one.ms, witnessWords(one)));
  lines.push(row('check', evidence.ok, evidence.ms, evidence.reason ?? evidence.refused ?? ''));
  return lines;
}

/** What an operator can do about an offline verdict, one sentence without a full stop; undefined unless it is one. */
export function adviceOn(
  status: Pick<VerdictState, 'reason'> & { readonly lastEvidence?: CheckEvidence },
): string | undefined {
  const { reason, lastEvidence } = status;
  if (reason === undefined) return undefined;
  const better = betterUplink(lastEvidence?.link);
  if (better !== undefined) return `${betterWords(better)}. ${uplinkAdvice(better.carrying)}`;
  const beside = reason === 'no-link' ? standbyAdvice(lastEvidence?.link) : undefined;
  if (beside !== undefined) return beside;
  const login = lastEvidence?.portal?.login;
  if (reason === 'portal' && login !== undefined) return loginAdvice(login);
  const name = lastEvidence?.dns?.trouble;
  if ((reason === 'dns-failed' || reason === 'dns-timeout') && name !== undefined) return nameAdvice(name);
  const proxy = lastEvidence?.https.find((one) => one.reason === 'proxy')?.proxy;
  if (reason === 'proxy' && proxy !== undefined) return proxyAdvice(proxy);
  return reasonAdvice(reason);
}

/** An interface with internet where the one that carries has none. `carrying`: or is the way, although it is dead. */
export interface BetterUplink {
  readonly name: string;
  readonly carrying: string;
}

export function betterUplink(link: LinkEvidence | undefined): BetterUplink | undefined {
  const uplinks = link?.uplinks ?? [];
  const better = uplinks.find(({ hasInternet }) => hasInternet === true);
  const carrying = uplinks.find(({ role }) => role === 'carries') ?? uplinks.find(({ role }) => role === 'dead');
  return better === undefined || carrying === undefined ? undefined : { name: better.name, carrying: carrying.name };
}

/** Where the default route leads to a dead interface, and another one has a route that is not preferred. */
function standbyAdvice(link: LinkEvidence | undefined): string | undefined {
  const uplinks = link?.uplinks ?? [];
  const standby = uplinks.find(({ role }) => role === 'stands-by');
  const dead = uplinks.find(({ role }) => role === 'dead');
  if (standby === undefined || dead === undefined) return undefined;
  return `${standby.name} stands by, but the default route of ${dead.name} is preferred. ${uplinkAdvice(dead.name)}`;
}

/** Such as `wlan0 has internet, and eth0, which carries, has none`. */
export function betterWords({ name, carrying }: BetterUplink): string {
  return `${name} has internet, and ${carrying}, which carries, has none`;
}

/** Such as `eth0 carries, wlan0 stands by`. */
export function uplinkWords(uplinks: readonly Uplink[]): string {
  return uplinks.map(wordsOf).join(', ');
}

function wordsOf({ name, role, detail, hasInternet }: Uplink): string {
  if (role === 'dead') return detail ?? `${name} is dead`;
  if (role === 'carries') return `${name} carries`;
  if (hasInternet === undefined) return `${name} stands by`;
  return `${name} stands by, ${hasInternet ? 'with internet' : 'without internet'}`;
}

function linkWords({ ok, detail, uplinks }: LinkEvidence): string {
  if (detail !== undefined) return detail;
  if (uplinks !== undefined) return uplinkWords(uplinks);
  return ok ? 'link, address and route are there' : '';
}

export interface EvidenceFields {
  readonly trigger?: string;
  readonly ms?: number;
  readonly link?: string;
  readonly dns?: string;
  readonly https?: string;
  readonly portal?: string;
  readonly packets?: string;
  readonly live?: string;
  readonly others?: string;
}

/** For a line of the log: each phase as one short field. */
export function evidenceFields(evidence: CheckEvidence): EvidenceFields {
  const { link, dns, https, live, witnesses } = evidence;
  return {
    trigger: evidence.trigger,
    ms: evidence.ms,
    ...linkField(link),
    ...(dns === undefined ? {} : { dns: `${dns.ok ? 'ok' : 'failed'} ${dns.ms} ms ${dnsWords(dns)}`.trim() }),
    ...(https.length === 0 ? {} : { https: https.map(httpsWords).join('; ') }),
    ...(evidence.portal === undefined ? {} : { portal: portalWords(evidence.portal) }),
    ...(evidence.packets?.ok === false ? { packets: packetWords(evidence.packets) } : {}),
    ...(live === undefined ? {} : { live: liveWords(live) }),
    ...(witnesses === undefined ? {} : { others: witnesses.map(witnessWords).join('; ') || 'none to ask' }),
  };
}

/** What of the way out is known: `1280 bytes get through by wlan0, 1400 do not`. */
export function packetWords({ passes, lost, device }: PacketEvidence): string {
  const by = device === undefined ? '' : ` by ${device}`;
  if (lost === undefined) return `${passes} bytes get through${by}`;
  return passes === 0
    ? `small ones get through${by}, ${lost} bytes do not`
    : `${passes} bytes get through${by}, ${lost} do not`;
}

/** What mends it at this machine, as a command, and what does for good. */
export function packetAdvice({ passes, device = 'DEVICE' }: PacketEvidence): string {
  // IPv6 is switched off on an interface that takes less (RFC 8200, 5).
  const command =
    passes >= LEAST_MTU
      ? `sudo ip link set dev ${device} mtu ${passes}`
      : `sudo sysctl -w net.ipv4.tcp_mtu_probing=2 net.ipv4.tcp_base_mss=${Math.max(LEAST_MSS, passes - HEADERS_OF_TCP)}`;
  return `Until the next boot this helps: ${command}; for good, have whoever runs the router clamp the MSS, or set the same in this machine's network settings`;
}

/** Also where the link is good, if there are two that could be. */
function linkField(link: LinkEvidence | undefined): Pick<EvidenceFields, 'link'> {
  if (link === undefined) return {};
  if (!link.ok) return { link: link.detail ?? link.reason ?? 'no way out' };
  const uplinks = link.uplinks ?? [];
  return uplinks.some(({ role }) => role === 'stands-by') ? { link: uplinkWords(uplinks) } : {};
}

function liveWords(live: LiveAnswer): string {
  return {
    answered: 'the live connection answers',
    silent: 'the live connection is silent',
    none: 'no connection lives',
  }[live];
}

function witnessWords({ host, ok, failedAt, error }: WitnessEvidence): string {
  return ok ? `${host}, certificate verified` : `${host}, failed at ${failedAt ?? 'tls'}: ${error ?? 'unknown'}`;
}

function httpsWords(attempt: HttpsEvidence): string {
  const how = attempt.reused ? 'kept' : attempt.resumed === true ? 'resumed' : 'fresh';
  const steps = [
    ['tcp', attempt.tcpMs],
    ['proxy', attempt.proxyMs],
    ['tls', attempt.tlsMs],
    ['http', attempt.httpMs],
  ]
    .filter(([, ms]) => ms !== undefined)
    .map(([step, ms]) => `${step ?? ''} ${ms ?? ''} ms`);
  const failure =
    attempt.failedAt === undefined ? [] : [`failed at ${attempt.failedAt}: ${attempt.error ?? 'unknown'}`];
  const status = attempt.status === undefined ? [] : [`status ${attempt.status}`];
  const detail = attempt.detail === undefined ? [] : [attempt.detail];
  const from = attempt.addressesFrom === 'last-good' && !attempt.reused ? ' (the last that worked)' : '';
  return `${how} ${attempt.address ?? 'no address'}${from}, ${[...steps, ...status, ...failure, ...detail].join(', ')}`;
}

function portalWords({ address, sign, status, login, error }: PortalEvidence): string {
  const answer = status === undefined ? `no answer (${error ?? 'unknown'})` : `status ${status}`;
  const means = {
    portal: login === undefined ? 'a captive portal' : `a captive portal: log in at ${login}`,
    page: "a page that is hardly the site's",
    nothing: 'no sign of a portal',
  }[sign];
  return `${address} over plain HTTP: ${answer}, ${means}`;
}

function dnsWords({ addresses, servers, error, trouble, proxy }: DnsEvidence): string {
  const asked = `${proxy === undefined ? '' : `the proxy ${proxy}; `}${servers.length > 0 ? `asked ${servers.join(', ')}` : 'no query needed'}`;
  const found = addresses.length > 0 ? `${addresses.join(', ')} ` : '';
  const why = [error, trouble].filter((part) => part !== undefined).join(' ');
  return `${found}(${asked})${why === '' ? '' : ` ${why}`}`;
}

function httpsRows(attempt: HttpsEvidence): string[] {
  const { failedAt, tcpMs, proxyMs, tlsMs, httpMs } = attempt;
  const where = `${attempt.address ?? 'no address'}${attempt.addressesFrom === 'last-good' ? ' (the last that worked)' : ''}`;
  const problem = [attempt.error, attempt.detail].filter((part) => part !== undefined).join(': ');
  if (attempt.reused) {
    return [
      row(
        'http',
        attempt.ok,
        attempt.ms,
        attempt.ok ? `status ${attempt.status ?? '?'} over the kept connection to ${where}` : problem,
      ),
    ];
  }
  const lines: string[] = [];
  const step = (phase: 'tcp' | 'proxy' | 'tls' | 'http', ms: number | undefined, words: string): void => {
    if (failedAt === phase) lines.push(row(phase, false, ms ?? attempt.ms, `${where} ${problem}`.trim()));
    else if (ms !== undefined) lines.push(row(phase, true, ms, words));
  };
  step('tcp', tcpMs, where);
  step('proxy', proxyMs, 'the way is open');
  step('tls', tlsMs, attempt.resumed === true ? 'session resumed, certificate verified' : 'certificate verified');
  step('http', httpMs, `status ${attempt.status ?? '?'}`);
  if (lines.length === 0) lines.push(row('https', attempt.ok, attempt.ms, `${where} ${problem}`.trim()));
  return lines;
}

function row(phase: string, ok: boolean, ms: number | undefined, words: string): string {
  const time = ms === undefined ? '' : `${Math.round(ms)} ms`;
  return `${phase.padEnd(6)}${(ok ? 'ok' : 'FAILED').padEnd(8)}${time.padStart(8)}  ${words}`.trimEnd();
}
