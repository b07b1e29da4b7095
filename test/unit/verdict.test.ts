/** Evidence in, verdict out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  initialMemory,
  onChecked,
  onLinkBack,
  onLinkHeld,
  reasonOf,
  type Checked,
  type VerdictMemory,
  type VerdictPolicy,
} from '../../src/workers/verdict.js';
import type { DnsEvidence, HttpsEvidence, LinkEvidence, OfflineReason, Verdict } from '../../src/workers/protocol.js';

const DEFAULTS: VerdictPolicy = { failuresToOffline: 2, successesToOnline: 1 };
const good: Checked = { ok: true };
const bad = (reason: OfflineReason): Checked => ({ ok: false, reason });

function from(verdict: Verdict): VerdictMemory {
  return initialMemory({ verdict, sinceMs: 0, ...(verdict === 'offline' && { reason: 'dns-timeout' as const }) });
}

/** Runs checks one second apart; tells each change as `verdict@second`, and what was to be confirmed as `?`. */
function live(start: Verdict, checks: readonly Checked[], policy = DEFAULTS): string {
  let memory = from(start);
  return checks
    .map((check, second) => {
      const outcome = onChecked(memory, check, policy, second * 1_000);
      memory = outcome.memory;
      const { verdict, reason } = memory.state;
      return `${outcome.changed ? `${verdict}${reason === undefined ? '' : `(${reason})`}` : '.'}${outcome.confirm ? '?' : ''}`;
    })
    .join(' ');
}

describe('the verdict', () => {
  const F = bad('tcp-timeout');
  const R: Checked = { ok: false, refused: 'EMFILE' };
  const rows: readonly [string, Verdict, readonly Checked[], string, VerdictPolicy?][] = [
    ['one success makes online', 'unknown', [good], 'online'],
    ['the first verdict offline takes two failures', 'unknown', [F, F], '.? offline(tcp-timeout)'],
    ['one lost check is no outage', 'online', [good, F, good, F, good], '. .? . .? .'],
    ['two failures in a row are', 'online', [F, F, F], '.? offline(tcp-timeout) .'],
    ['the last reason names it', 'online', [F, bad('portal')], '.? offline(portal)'],
    [
      'a check that this machine does not allow is neither',
      'online',
      [F, R, R, R, good, F, R, F],
      '.? . . . . .? . offline(tcp-timeout)',
    ],
    ['nor does it end what was so', 'offline', [R, R], '. .'],
    ['nor is it a first verdict', 'unknown', [R, R, F, R, F], '. . .? . offline(tcp-timeout)'],
    ['one success ends it', 'offline', [F, F, good], '. . online'],
    [
      'three are wanted where three are set',
      'online',
      [F, F, F],
      '.? .? offline(tcp-timeout)',
      { ...DEFAULTS, failuresToOffline: 3 },
    ],
    ['one is enough where one is set', 'online', [F], 'offline(tcp-timeout)', { ...DEFAULTS, failuresToOffline: 1 }],
    [
      'several successes where several are set',
      'offline',
      [good, F, good, good],
      '.? . .? online',
      { ...DEFAULTS, successesToOnline: 2 },
    ],
  ];
  for (const [name, start, checks, expected, policy] of rows) {
    it(name, () => assert.equal(live(start, checks, policy), expected));
  }

  it('keeps the time of its change while the reason moves on', () => {
    const { memory } = onChecked(from('offline'), bad('portal'), DEFAULTS, 99);
    assert.deepEqual(memory.state, { verdict: 'offline', reason: 'portal', sinceMs: 0 });
  });

  it('changes only where two failures in a row explain it, in 1,000 checks of which one in ten fails', () => {
    // A linear congruential generator (Numerical Recipes), so that every run is the same.
    let seed = 20_261_124;
    const random = (): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
    const checks = Array.from({ length: 1_000 }, () => (random() < 0.1 ? F : good));
    const runsOf = (length: number): number =>
      checks.filter(
        (_, i) =>
          i + 1 >= length &&
          checks.slice(i + 1 - length, i + 1).every(({ ok }) => !ok) &&
          checks[i - length]?.ok !== false,
      ).length;
    const lost = (policy: VerdictPolicy): number => live('online', checks, policy).split('offline').length - 1;
    assert.ok(runsOf(2) > 0, 'the sequence has pairs, or it shows nothing');
    assert.equal(lost(DEFAULTS), runsOf(2));
    assert.equal(lost({ ...DEFAULTS, failuresToOffline: 3 }), runsOf(3));
  });
});

describe("the kernel's word", () => {
  it('needs no confirming', () => {
    const { memory, changed, confirm } = onLinkHeld(from('online'), 'no-link', 7);
    assert.deepEqual(memory.state, { verdict: 'offline', reason: 'no-link', sinceMs: 7 });
    assert.deepEqual([changed, confirm], [true, false]);
  });

  it('names the reason of an outage that goes on', () => {
    const { memory, changed } = onLinkHeld(from('offline'), 'no-route', 7);
    assert.deepEqual(memory.state, { verdict: 'offline', reason: 'no-route', sinceMs: 0 });
    assert.equal(changed, false);
  });

  it('is doubted once a check succeeds against it, until its tables show a way again', () => {
    const doubting = onChecked(from('online'), { ok: true, contradictsLink: true }, DEFAULTS, 1).memory;
    const held = onLinkHeld(doubting, 'no-link', 2);
    assert.deepEqual([held.changed, held.confirm], [false, true]);
    assert.equal(onLinkHeld(onLinkBack(doubting), 'no-link', 3).changed, true);
  });
});

describe('the reason', () => {
  const link = (reason?: 'no-link' | 'no-route'): LinkEvidence => ({
    phase: 'link',
    ok: reason === undefined,
    ...(reason && { reason }),
  });
  const dns = (error?: string): DnsEvidence => ({
    phase: 'dns',
    ok: error === undefined,
    ms: 1,
    addresses: error === undefined ? ['192.0.2.1'] : [],
    servers: ['192.0.2.53'],
    ...(error !== undefined && { error }),
  });
  const https = (
    failedAt: 'tcp' | 'tls' | 'http',
    reason: OfflineReason,
    more: Partial<HttpsEvidence> = {},
  ): HttpsEvidence => ({
    phase: 'https',
    ok: false,
    ms: 1,
    addressesFrom: 'dns',
    reused: false,
    failedAt,
    reason,
    ...more,
  });
  const kept = https('http', 'http-timeout', { reused: true, addressesFrom: 'last-good' });

  const rows: readonly [
    string,
    LinkEvidence | undefined,
    DnsEvidence | undefined,
    readonly HttpsEvidence[],
    OfflineReason,
  ][] = [
    ['no link explains everything', link('no-link'), dns('ETIMEOUT'), [https('tls', 'portal')], 'no-link'],
    ['no route likewise', link('no-route'), dns('ECONNREFUSED'), [], 'no-route'],
    ['nobody answers for the name', link(), dns('ETIMEOUT'), [https('tcp', 'tcp-timeout')], 'dns-timeout'],
    ['a name server says no', link(), dns('ENOTFOUND'), [], 'dns-failed'],
    [
      "somebody else's certificate explains a dead name server",
      link(),
      dns('ETIMEOUT'),
      [https('tls', 'portal')],
      'portal',
    ],
    [
      'a wrong clock explains what comes of it',
      link(),
      dns(),
      [https('tls', 'clock'), https('tcp', 'tcp-timeout')],
      'clock',
    ],
    [
      'the try that got furthest',
      link(),
      dns(),
      [https('tcp', 'tcp-timeout'), https('tls', 'tls-failed')],
      'tls-failed',
    ],
    [
      'a refusal tells more than silence',
      link(),
      dns(),
      [https('tcp', 'tcp-timeout'), https('tcp', 'tcp-refused')],
      'tcp-refused',
    ],
    [
      'a fresh try tells more than a kept connection that died',
      link(),
      dns(),
      [kept, https('tcp', 'tcp-timeout')],
      'tcp-timeout',
    ],
    ['a kept connection tells what it can', undefined, dns(), [kept], 'http-timeout'],
  ];
  for (const [name, l, d, h, expected] of rows) it(name, () => assert.equal(reasonOf(l, d, h), expected));
});
