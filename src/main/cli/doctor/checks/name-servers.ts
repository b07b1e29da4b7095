/** The name servers: what the checks came to, and each one asked alone. */
import { Resolver } from 'node:dns';
import { plain } from '../../../troubles.js';
import { NAMES } from '../../../troubles/names.js';
import { parseHostPort, proxyOfSite } from '../../../settings.js';
import { resolveHost } from '../../../../workers/net/resolve.js';
import type { CheckEvidence, DnsEvidence } from '../../../../workers/protocol.js';
import { isBlamed, skipBehind } from '../blame.js';
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts, Router } from '../facts.js';

/** One server, milliseconds. */
const SERVER_MS = 3_000;
/** What resolv.conf(5) counts. */
const MAX_SERVERS = 3;
/** A healthy name server answers well before; milliseconds. */
const SLOW_MS = 500;
/** Where a packet itself takes so long, the server is not to blame; milliseconds. */
const SLOW_LINE_MS = 300;

export interface ServerAnswer {
  readonly server: string;
  readonly dns: DnsEvidence;
}

export class NameServersCheck implements Check {
  readonly id = 'name-servers';
  readonly area = 'network';
  readonly title = 'name servers';

  async run({ configuration, internet, router }: Facts): Promise<Finding> {
    const { settings } = await configuration();
    // A name behind a proxy is the proxy's affair.
    const asked = proxyOfSite(settings) ?? parseHostPort(settings.testDomain.split(',')[0] ?? '');
    const host = asked?.host ?? settings.testDomain;
    const servers = settings.nameServers.length > 0 ? settings.nameServers : systemServers();
    const [evidence, near, ...answers] = await Promise.all([
      internet(),
      router(),
      ...servers.slice(0, MAX_SERVERS).map((server) => ask(host, server)),
    ]);
    return judge(evidence, answers, near);
  }
}

/** c-ares reads the system's when it is made. */
function systemServers(): readonly string[] {
  try {
    return new Resolver().getServers();
  } catch {
    return [];
  }
}

/** A slow answer may be that of a machine that has just begun with all the other checks: it is asked again. */
async function ask(host: string, server: string): Promise<ServerAnswer> {
  const once = (): Promise<DnsEvidence> => resolveHost({ host, timeoutMs: SERVER_MS, nameServers: [server] });
  const first = await once();
  if (!first.ok || first.ms <= SLOW_MS) return { server, dns: first };
  const second = await once();
  return { server, dns: second.ok && second.ms < first.ms ? second : first };
}

export function judge(evidence: CheckEvidence | undefined, answers: readonly ServerAnswer[], near: Router): Finding {
  const behind = skipBehind('name-servers', evidence);
  if (behind !== undefined) return behind;
  const dns = evidence?.dns;
  if (isBlamed('name-servers', evidence) && evidence?.reason !== undefined && dns !== undefined) {
    const trouble = dns.trouble ?? 'fails-otherwise';
    const isOfServers = dns.servers.length > 0 && !trouble.startsWith('resolv');
    const asked = isOfServers ? `, asked ${dns.servers.join(', ')}` : '';
    const how = trouble === 'silent' && near.ms !== undefined ? `; the router ${near.address ?? ''} answers` : '';
    return fail(evidence.reason, `${plain(NAMES[trouble].meaning)}${asked}${how}`, plain(NAMES[trouble].remedy));
  }
  if (dns?.ok === true && dns.servers.length === 0) return skip('the test site needs none');
  const bad = answers.filter((answer) => !answer.dns.ok);
  const good = answers.filter((answer) => answer.dns.ok);
  const words = (answer: ServerAnswer): string =>
    answer.dns.ok
      ? `${answer.server} answers in ${answer.dns.ms} ms`
      : `${answer.server}: ${plain(NAMES[answer.dns.trouble ?? 'fails-otherwise'].meaning)}`;
  // Where all are bad and the check has found the name all the same, it is the check's word that counts.
  if (bad.length > 0 && good.length > 0) return warn('name-server-missing', bad.map(words).join('; '));
  if (good.length === 0) return skip('they cannot be asked one by one');
  const packetMs = evidence?.https.find(({ tcpMs }) => tcpMs !== undefined)?.tcpMs ?? 0;
  const slow = good.filter((answer) => answer.dns.ms > SLOW_MS);
  if (slow.length > 0 && packetMs < SLOW_LINE_MS) return warn('name-server-slow', slow.map(words).join('; '));
  return pass(good.map(words).join('; '));
}
