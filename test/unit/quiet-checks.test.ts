import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Carried, CheckEvidence, DnsEvidence, HttpsEvidence, LinkEvidence } from '../../src/workers/protocol.js';
import { QuietChecksReader, QuietChecksWriter, quietChecksMemory } from '../../src/workers/quiet-checks.js';

const LINK: LinkEvidence = { phase: 'link', ok: true };
const DNS: DnsEvidence = { phase: 'dns', ok: true, ms: 4, addresses: ['192.0.2.1'], servers: ['192.0.2.53'] };
const UNDATED: HttpsEvidence = {
  phase: 'https',
  ok: true,
  ms: 12,
  addressesFrom: 'last-good',
  address: '192.0.2.1',
  reused: true,
  httpMs: 11,
  status: 200,
};
const HTTPS: HttpsEvidence = { ...UNDATED, clockAheadMs: 250 };
const HEALTHY: CheckEvidence = {
  checkId: 7,
  trigger: 'interval',
  startedAtMs: 1_700_000_000_123,
  ms: 13,
  ok: true,
  link: LINK,
  dns: DNS,
  https: [HTTPS],
};
const CARRIED: Carried = { received: 5_000_000_000, sent: 300 };

function later(n: number): CheckEvidence {
  return {
    ...HEALTHY,
    checkId: HEALTHY.checkId + n,
    startedAtMs: HEALTHY.startedAtMs + 7_000 * n,
    ms: 20 + n,
    dns: { ...DNS, ms: n },
    https: [{ ...HTTPS, ms: 15 + n, httpMs: 14 + n, clockAheadMs: -250 * n }],
  };
}

class Threads {
  readonly #memory = quietChecksMemory();
  readonly writer = new QuietChecksWriter(this.#memory);
  readonly reader = new QuietChecksReader(this.#memory);

  /** Told by a message that has arrived. */
  tell(evidence: CheckEvidence): this {
    this.writer.told(evidence);
    this.reader.told(evidence);
    return this;
  }

  read(): [CheckEvidence, Carried][] {
    const heard: [CheckEvidence, Carried][] = [];
    this.reader.read((evidence, carried) => heard.push([evidence, carried]));
    return heard;
  }
}

describe('checks of which there is nothing to tell but their times', () => {
  it('are heard as they were, in their order, and once', () => {
    const threads = new Threads().tell(HEALTHY);
    for (const n of [1, 2, 3]) assert.equal(threads.writer.write(later(n), { ...CARRIED, sent: n }), true);
    assert.deepEqual(
      threads.read(),
      [1, 2, 3].map((n) => [later(n), { ...CARRIED, sent: n }]),
    );
    assert.deepEqual(threads.read(), []);
  });

  it('go on for longer than there is room, if they are read; those that find none are to be told', () => {
    const threads = new Threads().tell(HEALTHY);
    for (let n = 1; n <= 100; n += 1) {
      assert.equal(threads.writer.write(later(n), CARRIED), true);
      assert.deepEqual(threads.read(), [[later(n), CARRIED]]);
    }
    let fits = 0;
    while (threads.writer.write(later(fits), CARRIED)) fits += 1;
    assert.equal(fits, 16);
    assert.deepEqual(
      threads.read().map(([{ checkId }]) => checkId),
      Array.from({ length: 16 }, (_, n) => HEALTHY.checkId + n),
    );
    assert.equal(threads.writer.write(later(17), CARRIED), true);
  });

  it('wait for the message that tells what they are like', () => {
    const threads = new Threads().tell(HEALTHY);
    threads.writer.write(later(1), CARRIED);
    const elsewhere = { ...later(2), dns: { ...DNS, addresses: ['192.0.2.2'] } };
    threads.writer.told(elsewhere);
    threads.writer.write({ ...elsewhere, checkId: 30 }, CARRIED);
    assert.deepEqual(
      threads.read().map(([{ checkId }]) => checkId),
      [8],
    );
    threads.reader.told(elsewhere);
    assert.deepEqual(threads.read(), [[{ ...elsewhere, checkId: 30 }, CARRIED]]);
  });

  it('are none as long as none was told', () => {
    assert.equal(new Threads().writer.write(later(1), CARRIED), false);
  });

  const others: readonly [string, CheckEvidence][] = [
    ['asked for', { ...HEALTHY, trigger: 'asked' }],
    ['after a change of the links', { ...HEALTHY, trigger: 'link' }],
    ['failed', { ...HEALTHY, ok: false, reason: 'http-timeout' }],
    ['proved by others', { ...HEALTHY, siteReason: 'tls-failed' }],
    ['refused by the system', { ...HEALTHY, refused: 'EMFILE' }],
    ['beside a portal', { ...HEALTHY, portal: { sign: 'page' } as NonNullable<CheckEvidence['portal']> }],
    ['with the live connection asked', { ...HEALTHY, live: 'answered' }],
    ['of a fresh connection', { ...HEALTHY, https: [{ ...HTTPS, reused: false }] }],
    ['of two tries', { ...HEALTHY, https: [HTTPS, HTTPS] }],
    ['not counted', { ...HEALTHY, https: [{ ...HTTPS, detail: 'not counted' }] }],
    ['of another status', { ...HEALTHY, https: [{ ...HTTPS, status: 500 }] }],
    ['of another address', { ...HEALTHY, https: [{ ...HTTPS, address: '192.0.2.2' }] }],
    ['without a date', { ...HEALTHY, https: [UNDATED] }],
    ['of other names', { ...HEALTHY, dns: { ...DNS, addresses: ['192.0.2.1', '192.0.2.2'] } }],
    ['of another name server', { ...HEALTHY, dns: { ...DNS, servers: [] } }],
    ['of names in trouble', { ...HEALTHY, dns: { ...DNS, ok: false, error: 'ETIMEOUT' } }],
    ['of other links', { ...HEALTHY, link: { ...LINK, detail: 'eth0 carries' } }],
  ];
  for (const [what, evidence] of others) {
    it(`are not those ${what}`, () => {
      assert.equal(new Threads().tell(HEALTHY).writer.write(evidence, CARRIED), false);
      assert.equal(new Threads().tell(evidence).writer.write(HEALTHY, CARRIED), false);
    });
  }
});
