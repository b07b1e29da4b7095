/** Two uplinks: the one that carries has no internet, the other has. The journal says so, with a command that mends it. Needs root. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LabDaemon } from './daemon.js';
import { textOf } from './journal.js';
import { Lab } from './lab.js';
import { run } from './netns.js';
import { LAN } from './topology.js';

/** A second cable between Pi and router, with a default route that is not preferred. */
const SECOND = { pi: 'pi1', router: 'lan1', v4: '10.77.3.2', gateway: '10.77.3.1' } as const;
/** A check every 7 s, a failure confirmed, the trial over the other cable with the next one. */
const TOLD_MS = 25_000;

describe('a Pi with two uplinks', () => {
  let lab: Lab;
  let daemon: LabDaemon | undefined;
  const link = `link add ${SECOND.pi} type veth peer name ${SECOND.router} netns`;
  before(async () => {
    lab = await Lab.create({ ipv6: false });
    await lab.ip('pi', `${link} ${lab.namespace('router')}`);
    await lab.ip('router', `address add ${SECOND.gateway}/24 dev ${SECOND.router}`, `link set ${SECOND.router} up`);
    await lab.ip('net', 'route add 10.77.3.0/24 via 10.77.2.1');
    await lab.ip(
      'pi',
      `address add ${SECOND.v4}/24 dev ${SECOND.pi}`,
      `link set ${SECOND.pi} up`,
      `route add default via ${SECOND.gateway} metric 600`,
    );
    daemon = LabDaemon.start(lab);
    await daemon.joined();
  });
  after(async () => {
    await daemon?.kill();
    await lab.destroy();
  });

  const deaf = `chain forward { type filter hook forward priority filter; policy accept;\niifname ${LAN.name} drop\n}`;
  const siteConnections = async (): Promise<number> => (await lab.internet.call('counts', undefined)).site.connections;

  it('says which of them has internet, with a command that lets it carry', async () => {
    assert.ok(daemon);
    const since = daemon.journal.mark();
    await lab.addRules('router', 'deaf', deaf);
    const offline = await daemon.verdict('offline', since);
    assert.match(String(offline.line.fields['link']), /^pi0 carries, pi1 stands by/, textOf(offline.line));
    const told = await daemon.journal.until(
      () =>
        daemon?.journal.find(
          ({ msg }) => msg.startsWith('pi1 has internet, and pi0, which carries, has none: '),
          since,
        )[0],
      'word of the other uplink',
      { timeoutMs: TOLD_MS },
    );
    process.stdout.write(`told ${told.atMs - offline.atMs} ms after the verdict: ${textOf(told)}\n`);
    assert.equal(told.level, 'warn');

    // As it stands in the line.
    const command = /without NetworkManager: sudo ip (route del default dev pi0)\)/.exec(told.msg)?.[1];
    assert.ok(command !== undefined, told.msg);
    const mended = daemon.journal.mark();
    await lab.ip('pi', command);
    const online = await daemon.verdict('online', mended);
    process.stdout.write(`online ${online.atMs - told.atMs} ms later\n`);
    await daemon.joined(mended);
    assert.equal(daemon.journal.find(({ msg }) => msg.startsWith('pi1 has internet'), since).length, 1);
    await lab.removeRules('router', 'deaf');
    await lab.ip('pi', `route add default via ${LAN.v4}`);
  });

  it('tries what stands by once a minute at the most, and says nothing if that has none either', async () => {
    assert.ok(daemon);
    const since = daemon.journal.mark();
    await daemon.checked(2, since);
    await lab.addRules('router', 'deaf', deaf.replace(LAN.name, `{ ${LAN.name}, ${SECOND.router} }`));
    const begun = await siteConnections();
    await daemon.verdict('offline', since);
    const offlineAt = daemon.journal.mark();
    await daemon.checked(8, offlineAt, { timeoutMs: 60_000 });
    assert.equal(daemon.journal.find(({ msg }) => msg.includes('has internet, and'), since).length, 0);
    assert.equal(await siteConnections(), begun);
    const pids = await run('ip', ['netns', 'pids', lab.namespace('pi')]);
    const names = await Promise.all(
      pids
        .split('\n')
        .filter(Boolean)
        .map((pid) => run('cat', [`/proc/${pid}/comm`]).catch(() => '')),
    );
    assert.ok(!names.some((name) => name.startsWith('perl')), names.join());
    await lab.removeRules('router', 'deaf');
    await daemon.verdict('online', offlineAt);
  });
});
