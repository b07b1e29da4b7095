/**
 * What a check of a healthy network puts on the wire, however the site takes it, counted by the router. Needs root; about three minutes.
 *
 * Steady state: the site's way of answering is known, and a connection is kept. Its first check, and one every quarter of an hour, pay for a handshake.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SiteBehaviour, SiteProtocol } from '../support/https-site.js';
import { bytesOf, difference, type Bytes } from './counters.js';
import { LabDaemon } from './daemon.js';
import { Lab } from './lab.js';

const CHECKS = 20;
/** Both ways, Ethernet headers included, names and request together. */
const MOST_BYTES = 700;
/** As many checks as a site may need to be known: HEAD that hangs, the confirming check, one over the connection that is kept from then on. */
const KNOWN_AFTER = 4;

const SPOKEN: readonly (readonly SiteProtocol[])[] = [['http/1.1'], ['h2', 'http/1.1'], ['h2']];
const KNOWN: SiteBehaviour = { kind: 'answer' };
const ANSWERS: readonly (readonly [name: string, SiteBehaviour])[] = [
  ['with Content-Length', KNOWN],
  ['without Content-Length', { kind: 'answer', framing: 'none' }],
  ['chunked', { kind: 'answer', framing: 'chunked' }],
  ['405 to HEAD', { kind: 'answer', head: 405 }],
  ['405 to HEAD, chunked', { kind: 'answer', head: 405, framing: 'chunked' }],
  ['HEAD hangs', { kind: 'answer', head: 'hang' }],
];
/** Of a site that speaks HTTP/2, where they are paid for once. */
const ORDINARY_HEADERS: SiteBehaviour = { kind: 'answer', headerBytes: 700 };
/** The network with both families is the dearer one. */
const ROWS = [true, false].flatMap((ipv6) =>
  SPOKEN.flatMap((speaks) =>
    [...ANSWERS, ...(speaks.includes('h2') ? [['headers of 700 bytes', ORDINARY_HEADERS] as const] : [])]
      .filter(([, behaviour]) => ipv6 || behaviour === KNOWN)
      // GET over HTTP/2 is answered in one packet or in two, as the machine has it.
      .filter(([, behaviour]) => speaks.includes('http/1.1') || !hangs(behaviour))
      .map(
        ([name, behaviour]) =>
          [`IPv4${ipv6 ? ' and IPv6' : ''}, ${speaks.join(' and ')}, ${name}`, ipv6, speaks, behaviour] as const,
      ),
  ),
);

describe('a healthy check', { concurrency: 4 }, () => {
  for (const [name, ipv6, speaks, behaviour] of ROWS)
    it(`${name}: at most ${MOST_BYTES} bytes, one query, and ${CHECKS} over one connection`, async (t) => {
      const lab = await Lab.create({ ipv6 });
      try {
        await lab.internet.call('siteSpeaks', speaks);
        await lab.internet.call('site', behaviour);
        const daemon = LabDaemon.start(lab, { env: environmentFor(behaviour) });
        try {
          await daemon.joined(0, { timeoutMs: 120_000 });
          await daemon.checked(KNOWN_AFTER, 0, { timeoutMs: 120_000 });
          const first = await lab.traffic();
          const each: Bytes[] = [];
          for (let before = first; each.length < CHECKS;) {
            await daemon.checked(1, daemon.journal.mark(), { timeoutMs: 120_000 });
            const now = await lab.traffic();
            const { siteUp, siteDown, dns, dnsDown } = difference(now, before);
            const { ip, frames } = bytesOf(siteUp, siteDown, dns, dnsDown);
            const checks = Math.max(1, dns.packets);
            each.push({ ip: ip / checks, frames: frames / checks });
            before = now;
          }
          // The median: an acknowledgement of its own, of a machine that is late with the answer, is not the check's.
          const [ip, frames] = [median(each.map((one) => one.ip)), median(each.map((one) => one.frames))];
          const { dns, synSite } = await lab.traffic(first);
          t.diagnostic(`${frames} bytes a check, ${ip} of them in IP packets`);
          assert.ok(frames <= MOST_BYTES, `${frames} bytes a check; the log:\n${daemon.journal.tail()}`);
          assert.ok(dns.packets < 1.5 * CHECKS, `${dns.packets} queries`);
          assert.equal(synSite.packets, 0, `the connection is kept; the log:\n${daemon.journal.tail()}`);
        } finally {
          await daemon.kill();
        }
      } finally {
        await lab.destroy();
      }
    });
});

function median(numbers: readonly number[]): number {
  return Math.round(numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN);
}

function hangs(behaviour: SiteBehaviour): boolean {
  return behaviour.kind === 'answer' && behaviour.head === 'hang';
}

function environmentFor(behaviour: SiteBehaviour): NodeJS.ProcessEnv {
  return {
    // Often, so that it does not take long.
    DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '1',
    // A fifth of it is when another connection is opened beside the kept one: a busy machine's being late is not to be taken for the site's.
    DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: hangs(behaviour) ? '8' : '30',
    // The names of time servers are looked up in their own time.
    DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1',
  };
}
