/** Without a link nothing is sent, and the daemon is back at once. Needs root. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LabDaemon } from './daemon.js';
import { carrierLost } from './faults.js';
import { Lab } from './lab.js';
import { run } from './netns.js';
import { sleepUntil } from './seats.js';

/** Long enough for three looks at the links. */
const OUTAGE_MS = 7_000;

describe('a daemon whose carrier is gone', () => {
  let lab: Lab;
  let daemon: LabDaemon | undefined;
  before(async () => {
    lab = await Lab.create({ ipv6: false });
    // In pi itself: what does not leave it is counted, too.
    await lab.addRules(
      'pi',
      'sent',
      `counter queries {}
chain output { type filter hook output priority filter; policy accept;
udp dport 53 counter name queries
}`,
    );
    // The clock's servers by address: their names are asked for by another part, in its own time.
    daemon = LabDaemon.start(lab, { env: { DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1' } });
    await daemon.joined();
  });
  after(async () => {
    await daemon?.kill();
    await lab.destroy();
  });

  async function queries(): Promise<number> {
    const text = await run('ip', ['netns', 'exec', lab.namespace('pi'), 'nft', '-j', 'list', 'counters']);
    const { nftables } = JSON.parse(text) as { nftables: { counter?: { packets: number } }[] };
    return nftables.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
  }

  it('sends no query until the carrier is back, and looks at the links all the time', async () => {
    assert.ok(daemon);
    const since = daemon.journal.mark();
    await carrierLost.apply(lab);
    const offline = await daemon.verdict('offline', since);
    assert.equal(offline.reason, 'no-link');
    const before = await queries();
    assert.ok(before > 0, 'the counter counts');
    await sleepUntil(offline.atMs + OUTAGE_MS);
    const looks = daemon.checks(since).filter(({ atMs }) => atMs >= offline.atMs);
    assert.ok(looks.length >= 3, daemon.journal.tail());
    assert.equal(await queries(), before, daemon.journal.tail());
    await carrierLost.repair(lab);
    await daemon.verdict('online', since);
    const join = await daemon.joined(since);
    assert.equal(join.recovered, true);
  });
});
