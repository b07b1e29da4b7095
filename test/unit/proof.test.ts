/** The site fails: who is asked, when, and what the answers are worth. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  NOTHING_PROVED,
  isFinal,
  needsNewConnection,
  onOutage,
  onSiteAnswered,
  onWitnessesAsked,
  planAfter,
  planOf,
  testimonyOf,
  weigh,
  WITNESS_EVERY_MS,
  type ProofMemory,
  type Situation,
} from '../../src/workers/proof.js';
import type { CheckTrigger, LiveAnswer, OfflineReason, Verdict } from '../../src/workers/protocol.js';

const REASONS: readonly OfflineReason[] = [
  'no-link',
  'no-route',
  'dns-timeout',
  'dns-failed',
  'tcp-timeout',
  'tcp-refused',
  'portal',
  'clock',
  'tls-failed',
  'http-timeout',
];

/** The world at the time of one check. */
interface World {
  /** How the site fails; undefined: it answers. */
  readonly site?: OfflineReason;
  readonly live?: LiveAnswer;
  readonly witness?: boolean | 'refused';
  readonly trigger?: CheckTrigger;
}

/** What two witnesses say, by {@link World.witness}. */
const ANSWERS: Readonly<Record<string, readonly { readonly ok: boolean; readonly error?: string }[]>> = {
  true: [{ ok: false, error: 'EMFILE' }, { ok: true }],
  false: [
    { ok: false, error: 'EMFILE' },
    { ok: false, error: 'ETIMEDOUT' },
  ],
  refused: [
    { ok: false, error: 'EMFILE' },
    { ok: false, error: 'EMFILE' },
  ],
};

/** Runs checks as the worker does: every 7 s, the confirming one after 1 s. Tells `ok`, `proved`, `void`, `failed` or `offline`, and who was asked. */
class Line {
  memory: ProofMemory = NOTHING_PROVED;
  verdict: Verdict = 'online';
  nowMs = 1_000_000;
  #failures = 0;
  #lastReason: OfflineReason | undefined;

  check({ site, live = 'none', witness = false, trigger }: World): string {
    const confirming = this.#failures > 0 && this.verdict !== 'offline';
    this.nowMs += confirming ? 1_000 : this.verdict === 'offline' ? 2_000 : 7_000;
    const situation: Situation = {
      trigger: trigger ?? (confirming ? 'confirming' : 'interval'),
      verdict: this.verdict,
      failures: this.#failures,
      lastReason: this.#lastReason,
    };
    let plan = planOf(this.memory, situation, this.nowMs);
    if (plan.witnesses) this.memory = onWitnessesAsked(this.memory, this.#lastReason, this.nowMs);
    else if (!plan.live && site !== undefined) {
      plan = planAfter(this.memory, situation, site, false, this.nowMs);
      if (plan.witnesses) this.memory = onWitnessesAsked(this.memory, site, this.nowMs);
    }
    const asked = `${plan.live ? ' +live' : ''}${plan.witnesses ? ' +witnesses' : ''}`;
    this.#lastReason = site;
    if (site === undefined) {
      this.memory = onSiteAnswered(this.memory);
      this.#failures = 0;
      this.verdict = 'online';
      return `ok${asked}`;
    }
    const weighed = weigh(
      this.memory,
      {
        reason: site,
        live: plan.live ? live : 'none',
        witnesses: testimonyOf(plan.witnesses ? ANSWERS[String(witness)] : undefined),
      },
      this.nowMs,
    );
    this.memory = weighed.memory;
    if (weighed.weight === 'void') return `void${asked}`;
    if (weighed.weight === 'proved') {
      this.#failures = 0;
      this.verdict = 'online';
      return `proved${asked}`;
    }
    this.#failures += 1;
    if (this.verdict === 'offline' || this.#failures < 2) return `failed${asked}`;
    this.verdict = 'offline';
    this.memory = onOutage(this.memory, site);
    return `offline${asked}`;
  }

  linkLost(): void {
    this.memory = onOutage(this.memory, 'no-link');
    this.verdict = 'offline';
  }

  checks(count: number, world: World): string[] {
    return Array.from({ length: count }, () => this.check(world));
  }
}

const count = (told: readonly string[], what: string): number => told.filter((one) => one.includes(what)).length;

describe('a site that fails alone', () => {
  for (const site of REASONS.filter((reason) => !isFinal(reason))) {
    it(`${site}, over a live connection: ten minutes online, a question with each check, new connections rarely`, () => {
      const line = new Line();
      const told = line.checks(86, { site, live: 'answered', witness: true });
      assert.deepEqual(told.slice(0, 2), ['failed', 'proved +live +witnesses']);
      assert.equal(count(told, 'proved'), 85);
      const rarely = needsNewConnection(site) ? 600 / (WITNESS_EVERY_MS / 1_000) + 1 : 1;
      assert.ok(count(told, 'witnesses') <= rarely, `${count(told, 'witnesses')} times`);
      assert.match(line.check({}), /^ok/);
      assert.equal(line.check({}), 'ok', 'nobody else is asked any more');
    });

    it(`${site}, without a connection: witnesses keep it online, every 30 s at most`, () => {
      const told = new Line().checks(86, { site, witness: true });
      assert.deepEqual(told.slice(0, 3), ['failed', 'proved +live +witnesses', 'proved +live']);
      assert.equal(count(told, 'proved'), 85);
      assert.ok(count(told, 'witnesses') <= 21, `${count(told, 'witnesses')} times`);
    });
  }

  it('from the start: the confirming check makes online', () => {
    const line = new Line();
    line.verdict = 'unknown';
    assert.deepEqual(line.checks(2, { site: 'dns-failed', witness: true }), ['failed', 'proved +live +witnesses']);
    assert.equal(line.verdict, 'online');
  });
});

describe('witnesses that this machine lets us not ask', () => {
  const reasons = REASONS.filter((reason) => !isFinal(reason));
  for (const site of reasons) {
    it(`${site}: while the connection answers it is no outage, however long, and they are asked as soon as they can be`, () => {
      const line = new Line();
      const told = line.checks(86, { site, live: 'answered', witness: 'refused' });
      assert.equal(count(told, 'offline'), 0, told.join('; '));
      const next = needsNewConnection(site) ? 'proved +live +witnesses' : 'proved +live';
      assert.ok(line.check({ site, live: 'answered', witness: true }).startsWith(next));
    });

    it(`${site}, known to be the site's alone: they are not taken for silent ones`, () => {
      const line = new Line();
      line.checks(3, { site, witness: true });
      const askedAnew = line.check({ site, witness: 'refused', trigger: 'asked' });
      assert.equal(askedAnew, 'proved +live +witnesses');
    });

    it(`${site}: nobody's word, so with a connection that is silent, or without one, the site's is the only one`, () => {
      for (const live of ['silent', 'none'] as const) {
        const told = new Line().checks(2, { site, live, witness: 'refused' });
        assert.deepEqual(told, ['failed', 'offline +live +witnesses']);
      }
    });
  }

  it('one that was reached and failed is enough for silence', () => {
    const told = new Line().checks(2, { site: 'tcp-timeout', live: 'answered', witness: false });
    assert.deepEqual(told, ['failed', 'offline +live +witnesses']);
  });
});

describe('a real outage', () => {
  it('is noticed by the second check, with a connection that has gone silent', () => {
    const told = new Line().checks(2, { site: 'dns-timeout', live: 'silent' });
    assert.deepEqual(told, ['failed', 'offline +live +witnesses']);
  });

  for (const site of REASONS.filter((reason) => !isFinal(reason))) {
    it(`while the site was down (${site}): as soon, as the connection has gone silent`, () => {
      const line = new Line();
      line.checks(30, { site, live: 'answered', witness: true });
      // Also where it fails in the same way as before.
      const told = line.checks(2, { site, live: 'silent' });
      assert.deepEqual([told[0]?.startsWith('failed'), told[1]], [true, 'offline +live +witnesses']);
    });
  }

  it('while the site was down, without a connection: at once if it shows otherwise, within 30 s and a check if it does not', () => {
    const line = new Line();
    line.checks(20, { site: 'tls-failed', witness: true });
    const told = line.checks(2, { site: 'dns-timeout' });
    assert.deepEqual([told[0]?.startsWith('failed'), told[1]], [true, 'offline +live +witnesses']);
    const other = new Line();
    other.checks(20, { site: 'tls-failed', witness: true });
    const since = other.nowMs;
    while (other.verdict === 'online') other.check({ site: 'tls-failed' });
    assert.ok(other.nowMs - since <= WITNESS_EVERY_MS + 8_000, `${other.nowMs - since} ms`);
  });

  it('asks witnesses rarely while it lasts, and the kernel says the last word', () => {
    const line = new Line();
    line.checks(2, { site: 'dns-timeout', live: 'silent' });
    const told = line.checks(300, { site: 'dns-timeout' });
    assert.ok(count(told, 'witnesses') <= 21, `${count(told, 'witnesses')} times in 10 min`);
    for (const site of ['no-link', 'no-route'] as const) {
      assert.deepEqual(new Line().checks(2, { site, live: 'answered', witness: true }), [
        'failed',
        'offline +live +witnesses',
      ]);
    }
  });

  it('is over, though the site stays down: the first other failure has the witnesses asked', () => {
    const line = new Line();
    line.checks(5, { site: 'dns-timeout', live: 'silent' });
    const since = line.nowMs;
    while (line.verdict === 'offline') line.check({ site: 'tls-failed', witness: true });
    assert.ok(line.nowMs - since <= 6_000, `${line.nowMs - since} ms`);
  });
});

it('a link that went and came back over a site that stays down: the witnesses are asked again', () => {
  const line = new Line();
  line.checks(3, { site: 'tcp-refused', live: 'answered', witness: true });
  line.linkLost();
  const told = line.checks(3, { site: 'tcp-refused', witness: true });
  assert.ok(told.includes('proved +witnesses'), told.join('; '));
});

describe('an old connection', () => {
  it('proves only itself where a portal or a firewall may let old ones live', () => {
    for (const site of REASONS) {
      const told = new Line().checks(2, { site, live: 'answered', witness: false });
      const verdict = needsNewConnection(site) ? 'offline' : 'proved';
      assert.equal(told[1], `${verdict} +live +witnesses`, site);
    }
  });

  it('that was lost has the witnesses asked as soon as somebody asks for a check, but not in a hurry', () => {
    const line = new Line();
    line.checks(3, { site: 'tls-failed', live: 'answered', witness: true });
    assert.equal(
      line.check({ site: 'tls-failed', live: 'none', witness: true, trigger: 'asked' }),
      'proved +live +witnesses',
    );
    const { askedAtMs } = line.memory;
    assert.equal(
      planOf(
        line.memory,
        { trigger: 'asked', verdict: 'online', failures: 0, lastReason: 'tls-failed' },
        askedAtMs + 1_000,
      ).witnesses,
      false,
    );
  });
});
