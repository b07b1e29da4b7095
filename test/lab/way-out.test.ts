/** The way out of the Pi changes: the connection is moved, nothing is lost, and a table that never rests costs little. Needs root. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import type { ComponentCalls } from './component.js';
import { GROUP, LabDaemon } from './daemon.js';
import { Lab } from './lab.js';
import { cpuMsOf, commandOf } from '../support/process.js';
import { ipBatch, pidsIn, run } from './netns.js';
import { RemoteChild } from './remote-call.js';
import { LAN } from './topology.js';
import { endOf } from '../support/ends.js';

const NATS_PORT = 4222;
/** From the swap of the routes to the session on another socket. */
const MOVED_MS = 3_000;
const COMMANDS = 60;
const COMMAND_EVERY_MS = 100;
/** What is under way is there by then. */
const SETTLE_MS = 8_000;

/** A second cable of the Pi, to another port of the router. */
const SECOND = {
  pi: { name: 'pi1', v4: '10.77.3.2', v6: 'fd77:0:0:3::2' },
  lan: { name: 'lan1', v4: '10.77.3.1', v6: 'fd77:0:0:3::1' },
} as const;
const FIRST_METRIC = 100;
const SECOND_METRIC = 200;
const BEHIND_METRIC = 300;

async function addSecondUplink(lab: Lab): Promise<void> {
  const [pi, router] = [lab.namespace('pi'), lab.namespace('router')];
  const { pi: mine, lan } = SECOND;
  await run('ip', ['-netns', pi, 'link', 'add', mine.name, 'type', 'veth', 'peer', 'name', lan.name, 'netns', router]);
  const up = ({ name, v4, v6 }: { name: string; v4: string; v6: string }): string[] => [
    `link set ${name} up`,
    `address add ${v4}/24 dev ${name}`,
    `address add ${v6}/64 dev ${name} nodad`,
  ];
  await ipBatch(router, up(lan));
  await ipBatch(pi, [
    ...up(mine),
    `route add default via ${LAN.v4} metric ${FIRST_METRIC}`,
    `route add default via ${LAN.v6} metric ${FIRST_METRIC}`,
    `route add default via ${lan.v4} metric ${SECOND_METRIC}`,
    `route add default via ${lan.v6} metric ${SECOND_METRIC}`,
    `route del default via ${LAN.v4} metric 0`,
    `route del default via ${LAN.v6} metric 1024`,
  ]);
}

const swapped = (from: number, to: number): string[] => [
  `route add default via ${LAN.v4} metric ${to}`,
  `route add default via ${LAN.v6} metric ${to}`,
  `route del default via ${LAN.v4} metric ${from}`,
  `route del default via ${LAN.v6} metric ${from}`,
];

describe('two uplinks', () => {
  let lab: Lab;
  let daemon: LabDaemon;
  let core: RemoteChild<ComponentCalls>;
  before(async () => {
    const nats = findNatsServer();
    if (nats === undefined) throw new NatsServerMissingError();
    lab = await Lab.create();
    await addSecondUplink(lab);
    lab.exec('pi', nats, ['-a', '127.0.0.1', '-p', String(NATS_PORT)], { stdio: 'ignore' });
    const natsUrl = `nats://127.0.0.1:${NATS_PORT}`;
    daemon = LabDaemon.start(lab, { natsUrl });
    core = await RemoteChild.start<ComponentCalls>(lab.namespace('pi'), './component-main.js');
    await core.call('start', { url: natsUrl });
    await lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
    await lab.internet.call('browserLooks', undefined);
    await daemon.joined();
  });
  after(async () => {
    await daemon.kill();
    await core.stop();
    await lab.destroy();
  });
  afterEach(async () => {
    await lab.removeRules('router', 'old_path');
  });

  it('the metrics are swapped and the old path is dead: the session is moved, and nothing is lost', async (t) => {
    // What was said at the start has been acknowledged by now.
    await daemon.checked(1, daemon.journal.mark());
    const since = daemon.journal.mark();
    const before = (await core.call('commands', undefined)).length;
    const heardBefore = await lab.internet.call('browserCount', undefined);
    await core.call('speak', { everyMs: COMMAND_EVERY_MS });
    let swappedAtMs = 0;
    const sent: Promise<unknown>[] = [];
    for (let seq = 0; seq < COMMANDS; seq += 1) {
      if (seq === COMMANDS / 3) {
        await lab.addRules(
          'router',
          'old_path',
          `chain forward { type filter hook forward priority filter; policy accept;
iifname ${LAN.name} drop
oifname ${LAN.name} drop
}
chain input { type filter hook input priority filter; policy accept;\niifname ${LAN.name} drop\n}`,
        );
        await lab.ip('pi', ...swapped(FIRST_METRIC, BEHIND_METRIC));
        swappedAtMs = Date.now();
      }
      const data = { subject: 'core.dunebugger_set', body: { seq }, connectionId: 'browser' };
      sent.push(lab.internet.call('browserSend', { data }));
      await sleep(COMMAND_EVERY_MS);
    }
    await Promise.all(sent);
    const join = await daemon.joined(since);
    t.diagnostic(`moved after ${join.atMs - swappedAtMs} ms`);
    assert.equal(join.recovered, true, daemon.journal.tail());
    assert.ok(join.atMs - swappedAtMs <= MOVED_MS, `${join.atMs - swappedAtMs} ms\n${daemon.journal.tail()}`);
    assert.ok(daemon.journal.find(({ msg }) => /the way out of this machine has changed/.test(msg), since).length > 0);
    const said = await core.call('hush', undefined);
    await sleep(SETTLE_MS);
    assert.deepEqual(daemon.verdicts(since), [], daemon.journal.tail());
    const taken = (await core.call('commands', undefined)).slice(before).map(({ seq }) => seq);
    assert.deepEqual(
      taken,
      Array.from({ length: COMMANDS }, (_, seq) => seq),
      'commands, each once and in order',
    );
    const messages = await lab.internet.call('browserMessages', { since: heardBefore });
    const heard = messages.flatMap(({ data }) => {
      const { subject, body } = data as { subject?: unknown; body?: { seq?: unknown } };
      return subject === 'log' && typeof body?.seq === 'number' ? [body.seq] : [];
    });
    assert.deepEqual([...new Set(heard)].length, said.length, 'lines of core that a browser heard');
    t.diagnostic(`${taken.length} of ${COMMANDS} commands, ${new Set(heard).size} of ${said.length} lines`);
  });

  it('a way out that comes and goes beside the one in use moves nothing', async () => {
    const since = daemon.journal.mark();
    for (let n = 0; n < 4; n += 1) {
      await lab.ip('pi', ...swapped(BEHIND_METRIC, BEHIND_METRIC + 1), ...swapped(BEHIND_METRIC + 1, BEHIND_METRIC));
      await sleep(500);
    }
    await daemon.checked(1, since);
    assert.deepEqual([daemon.verdicts(since), daemon.attempts(since)], [[], []], daemon.journal.tail());
  });
});

/** Share of a core that a storm may cost beyond a quiet time: 5 % is promised, 3 % measured on a PC; the rest is for a machine that is slower. */
const MAX_SHARE = 0.1;
const MEASURED_MS = 8_000;
const ROUTES = 20_000;
const CHANGES_A_SECOND = 50;

describe('a routing table that never rests', () => {
  let lab: Lab;
  let daemon: LabDaemon;
  before(async () => {
    lab = await Lab.create();
    // What is looked at beside the checks would be measured as well.
    daemon = LabDaemon.start(lab, { env: { DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1' } });
    await daemon.joined();
    await lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
  });
  after(async () => {
    await daemon.kill();
    await lab.destroy();
  });

  /** Of the daemon and its `ip monitor`, as a share of a core. */
  async function share(ms: number): Promise<number> {
    const cpuMs = (): number =>
      pidsIn(lab.namespace('pi'))
        .filter((pid) => pid === daemon.pid || commandOf(pid).startsWith('ip -oneline monitor'))
        .reduce((sum, pid) => sum + cpuMsOf(pid), 0);
    const [before, startedAt] = [cpuMs(), performance.now()];
    await sleep(ms);
    return (cpuMs() - before) / (performance.now() - startedAt);
  }

  /** Lines of `ip` in `pi`, one after the other, until it is stopped. */
  async function storm(line: (n: number) => string, everyMs: number, work: () => Promise<void>): Promise<number> {
    const child = spawn('ip', ['-netns', lab.namespace('pi'), '-force', '-batch', '-'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    let n = 0;
    const timer = setInterval(() => child.stdin.write(`${line(n++)}\n`), everyMs);
    try {
      await work();
    } finally {
      clearInterval(timer);
      child.stdin.end();
      await endOf(child, 'the lines of ip');
    }
    return n;
  }

  async function assertWell(since: number, checks: number): Promise<void> {
    await daemon.checked(checks, since);
    const bad = daemon.journal.find(({ msg }) => /worker|watchdog|bug/i.test(msg), since);
    assert.deepEqual(bad, []);
    const asked = await lab.internet.call('browserCount', undefined);
    await lab.internet.call('browserSend', { data: { subject: 'controller.heartbeat', body: 'Are you there?' } });
    const what = { subject: 'heartbeat', body: 'I am alive', since: asked, timeoutMs: 30_000, settleMs: 200 };
    assert.equal(await lab.internet.call('browserGot', what, 35_000), 1);
  }

  it(`${ROUTES} routes and ${CHANGES_A_SECOND} changes a second`, async (t) => {
    const route = (n: number): string => `10.200.${n >> 8}.${n & 255}/32 via ${LAN.v4}`;
    await lab.ip('pi', ...Array.from({ length: ROUTES }, (_, n) => `route add ${route(n)}`));
    await daemon.checked(1, daemon.journal.mark());
    const quiet = await share(MEASURED_MS);
    const since = daemon.journal.mark();
    let busy = 0;
    const changes = await storm(
      (n) => `route ${n % 2 === 0 ? 'del' : 'add'} ${route(n >> 1)}`,
      1_000 / CHANGES_A_SECOND,
      async () => void (busy = await share(MEASURED_MS)),
    );
    t.diagnostic(`${(busy * 100).toFixed(1)} % of a core, ${(quiet * 100).toFixed(1)} % quiet; ${changes} changes`);
    assert.ok(busy - quiet <= MAX_SHARE, `${busy} of a core, ${quiet} when quiet`);
    assert.deepEqual(daemon.verdicts(since), [], daemon.journal.tail());
    await assertWell(since, 2);
    // All of them at once.
    await lab.ip('pi', 'route flush 10.200.0.0/16', 'route flush root 10.200.0.0/16');
  });

  it('a default route that flaps twice a second', async (t) => {
    await daemon.checked(1, daemon.journal.mark());
    const quiet = await share(MEASURED_MS);
    const since = daemon.journal.mark();
    let busy = 0;
    await storm(
      (n) =>
        n % 2 === 0
          ? `route del default via ${LAN.v4}\nroute del default via ${LAN.v6}`
          : `route add default via ${LAN.v4}\nroute add default via ${LAN.v6}`,
      250,
      async () => void (busy = await share(MEASURED_MS)),
    );
    await lab.configure();
    t.diagnostic(
      `${(busy * 100).toFixed(1)} % of a core, ${(quiet * 100).toFixed(1)} % quiet; ${daemon.checks(since).length} checks, ${daemon.verdicts(since).length} verdicts, ${daemon.attempts(since).length} attempts`,
    );
    assert.ok(busy - quiet <= MAX_SHARE, `${busy} of a core, ${quiet} when quiet`);
    await assertWell(since, 2);
  });
});
