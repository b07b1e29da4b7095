/** Which interface carries, which stands by, which is dead, and what is said where the wrong one carries. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adviceOn, evidenceFields, evidenceLines } from '../../src/main/evidence-text.js';
import { Teller } from '../../src/main/internet-monitor/teller.js';
import { takeSnapshot } from '../../src/main/observe/snapshot.js';
import { statusText } from '../../src/main/status-text.js';
import type { LinkInterface, LinkSnapshot } from '../../src/workers/probe/link-state.js';
import { linkEvidenceOf, uplinksOf } from '../../src/workers/probe/uplinks.js';
import type { CheckEvidence, Uplink } from '../../src/workers/protocol.js';
import { EVIDENCE, HEALTHY, LOOKED, NOW_MS, offline } from '../support/parts.js';
import { RecordedLog } from '../support/recorded-log.js';

function link(name: string, more: Partial<LinkInterface> = {}): LinkInterface {
  return { name, up: true, operState: 'up', physical: true, addresses: [], ...more };
}
const ETH0 = link('eth0', { addresses: ['192.168.1.20', 'fe80::1'] });
const WLAN0 = link('wlan0', { addresses: ['192.168.2.20'] });
const TO_ETH0 = { device: 'eth0', metric: 100, gateway: '0101A8C0' };
const TO_WLAN0 = { device: 'wlan0', metric: 600, gateway: '0102A8C0' };
const BOTH: LinkSnapshot = {
  interfaces: [ETH0, WLAN0],
  defaultRoutes: [TO_ETH0, TO_WLAN0],
  egress: [{ family: 4, source: '192.168.1.20' }],
};

describe('The uplinks', () => {
  const cases: readonly [string, Partial<LinkSnapshot>, string][] = [
    ['the one with the smaller metric carries', {}, 'eth0 carries, wlan0 stands by'],
    ['the other one', { egress: [{ family: 4, source: '192.168.2.20' }] }, 'eth0 stands by, wlan0 carries'],
    [
      'a family each',
      {
        interfaces: [ETH0, link('wlan0', { addresses: ['2001:db8::2'] })],
        egress: [
          { family: 4, source: '192.168.1.20' },
          { family: 6, source: '2001:db8::2' },
        ],
      },
      'eth0 carries, wlan0 carries',
    ],
    [
      'no carrier',
      { interfaces: [link('eth0', { operState: 'down' }), WLAN0] },
      'eth0 has no carrier, wlan0 stands by',
    ],
    ['switched off', { interfaces: [ETH0, link('wlan0', { up: false })] }, 'eth0 carries, wlan0 is down'],
    [
      'not let in',
      { interfaces: [ETH0, link('wlan0', { operState: 'dormant' })] },
      'eth0 carries, wlan0 is not authenticated yet',
    ],
    [
      'no default route of its own',
      { defaultRoutes: [TO_ETH0] },
      'eth0 carries, wlan0 has the address 192.168.2.20, but no default route',
    ],
    [
      'no DHCP answer',
      { interfaces: [ETH0, link('wlan0', { addresses: ['169.254.3.4'] })] },
      'eth0 carries, wlan0 has only a link-local address (no DHCP answer)',
    ],
    [
      'a tunnel with a default route counts, a bridge of containers does not',
      {
        interfaces: [
          ETH0,
          link('docker0', { physical: false, addresses: ['172.17.0.1'] }),
          link('tun0', { physical: false, operState: 'unknown', addresses: ['10.8.0.2'] }),
        ],
        defaultRoutes: [TO_ETH0, { ...TO_WLAN0, device: 'tun0' }],
      },
      'eth0 carries, tun0 stands by',
    ],
    ['one alone is not worth a word', { interfaces: [ETH0], defaultRoutes: [TO_ETH0] }, ''],
  ];
  const words = (uplinks: readonly Uplink[]): string =>
    uplinks.map(({ name, role, detail }) => detail ?? `${name} ${role.replace('stands-by', 'stands by')}`).join(', ');
  for (const [what, more, expected] of cases) {
    it(what, () => assert.equal(words(uplinksOf({ ...BOTH, ...more })), expected));
  }
});

describe('Where the one that carries has no internet', () => {
  const evidenceWith = (hasInternet: boolean | undefined): CheckEvidence => {
    const uplinks: Uplink[] = [
      { name: 'eth0', role: 'carries' },
      { name: 'wlan0', role: 'stands-by', ...(hasInternet === undefined ? {} : { hasInternet }) },
    ];
    return { ...EVIDENCE, ok: false, reason: 'dns-timeout', https: [], link: { phase: 'link', ok: true, uplinks } };
  };
  const advice = (hasInternet: boolean | undefined): string | undefined =>
    adviceOn({ reason: 'dns-timeout', lastEvidence: evidenceWith(hasInternet) });

  it('and another has, that is the sentence, with the command', () => {
    assert.match(
      advice(true) ?? '',
      /^wlan0 has internet, and eth0, which carries, has none\. sudo nmcli device disconnect eth0 .*sudo ip route del default dev eth0\)/,
    );
    assert.doesNotMatch(advice(false) ?? '', /wlan0/);
    assert.doesNotMatch(advice(undefined) ?? '', /wlan0/);
    assert.equal(
      evidenceLines(evidenceWith(true))[0]?.slice(24).trim(),
      'eth0 carries, wlan0 stands by, with internet',
    );
    assert.equal(evidenceFields(evidenceWith(false)).link, 'eth0 carries, wlan0 stands by, without internet');
  });

  it('it is told once an outage', () => {
    const log = new RecordedLog();
    const teller = new Teller(log);
    for (const hasInternet of [undefined, true, true]) teller.checked(evidenceWith(hasInternet));
    const told = (): number =>
      log.lines.filter(({ message }) => message.startsWith('wlan0 has internet, and eth0')).length;
    assert.equal(told(), 1);
    teller.checked(EVIDENCE);
    teller.checked(evidenceWith(true));
    assert.equal(told(), 2);
  });

  it('status, chain and troubles begin with it', () => {
    const parts = { ...HEALTHY, ...offline('dns-timeout', { lastEvidence: evidenceWith(true) }) };
    const snapshot = takeSnapshot(parts, NOW_MS, LOOKED);
    assert.match(
      snapshot.sentence,
      /: name server silent; wlan0 has internet, and eth0, which carries, has none; next look/,
    );
    assert.equal(snapshot.troubles.first?.code, 'wrong-uplink');
    assert.deepEqual(snapshot.troubles.beside, []);
    const [, station, router] = snapshot.chain;
    assert.deepEqual(
      [station, router?.state],
      [
        { station: 'interface', state: 'bad', words: 'wlan0 has internet, and eth0, which carries, has none' },
        'behind',
      ],
    );
    assert.deepEqual(snapshot.internet?.uplinks, [
      { name: 'eth0', role: 'carries', detail: null, hasInternet: null },
      { name: 'wlan0', role: 'stands-by', detail: null, hasInternet: true },
    ]);
  });

  it('while all is well the chain shows what stands by', () => {
    const lastEvidence = { ...EVIDENCE, link: linkEvidenceOf(BOTH) };
    const parts = { ...HEALTHY, internet: HEALTHY.internet && { ...HEALTHY.internet, lastEvidence } };
    assert.equal(takeSnapshot(parts, NOW_MS, LOOKED).chain[1]?.words, 'wlan0, Wi-Fi -56 dBm; wlan0 stands by');
    assert.ok(parts.internet !== undefined && parts.cloud !== undefined);
    const glance = { clock: parts.clock, offlineIntervalSecs: 2, nowMs: NOW_MS };
    assert.match(statusText(parts.internet, parts.cloud, glance), /^Online, connected since/);
  });

  it('a dead default route before one that stands by is told with the command, without a trial', () => {
    const dead = linkEvidenceOf({
      ...BOTH,
      interfaces: [link('eth0', { operState: 'down', addresses: ['192.168.1.20'] }), WLAN0],
    });
    assert.deepEqual([dead.reason, dead.detail], ['no-link', 'eth0 has no carrier, and the default route leads there']);
    const lastEvidence = { ...EVIDENCE, ok: false, link: dead };
    assert.match(
      adviceOn({ reason: 'no-link', lastEvidence }) ?? '',
      /^wlan0 stands by, but the default route of eth0 is preferred\. sudo nmcli device disconnect eth0/,
    );
  });
});
