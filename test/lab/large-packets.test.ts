/** Large packets are lost on the way out: it is named with the command, and the command mends it. Needs root. */
import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import type { ComponentCalls } from './component.js';
import { GROUP, LabDaemon } from './daemon.js';
import { ipv6LargeLostOut, largeLost } from './faults.js';
import { textOf } from './journal.js';
import { Lab } from './lab.js';
import { run } from './netns.js';
import { MachineLag, waitedForProcessorMs } from './machine-lag.js';
import { CONNECTS_MS } from './matrix.js';
import { RemoteChild } from './remote-call.js';
import { NEGOTIATE_URL, PORTS } from './topology.js';

const NATS_PORT = 4222;
const LARGE_BYTES = 3_000;
/**
 * A line that swallows a message is noticed by its silence (15 s) and tried again; the requests of growing size that are lost wait for twice the
 * time-out each (4 s), and the next check tells.
 */
const NAMED_MS = 60_000;
/** The connection goes silent once more, and its next socket carries what waits. */
const MENDED_MS = 60_000;

/** What is swallowed is noticed after some 0.6 s, and the next socket of a recovery waits for a second at the most. */
const RESUMES_MS = 3_000;

const LINES: readonly (readonly [bytes: number, sizes: RegExp, command: RegExp])[] = [
  [1_300, /1280 bytes get through by pi0, 1400 do not/, /sudo (ip link set dev pi0 mtu 1280);/],
  [600, /576 bytes get through by pi0, 1000 do not/, /sudo (sysctl -w net\.ipv4\.tcp_mtu_probing=2 \S+);/],
];

/** A Pi with a bus, core and scheduler, and a browser that looks. */
async function withPi(
  work: (lab: Lab, daemon: LabDaemon, core: RemoteChild<ComponentCalls>) => Promise<void>,
): Promise<void> {
  const nats = findNatsServer();
  if (nats === undefined) throw new NatsServerMissingError();
  const lab = await Lab.create();
  try {
    lab.exec('pi', nats, ['-a', '127.0.0.1', '-p', String(NATS_PORT)], { stdio: 'ignore' });
    const natsUrl = `nats://127.0.0.1:${NATS_PORT}`;
    const daemon = LabDaemon.start(lab, { natsUrl });
    const core = await RemoteChild.start<ComponentCalls>(lab.namespace('pi'), './component-main.js');
    try {
      await core.call('start', { url: natsUrl });
      await lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
      await lab.internet.call('browserLooks', undefined);
      await daemon.joined();
      await work(lab, daemon, core);
    } finally {
      await daemon.kill();
      await core.stop();
    }
  } finally {
    await lab.destroy();
  }
}

describe('a line that loses large packets on the way out', { concurrency: LINES.length }, () => {
  for (const [bytes, sizes, command] of LINES)
    it(`those of more than ${bytes} bytes: named with its command while the verdict stays online, and the command mends it`, (t) =>
      withPi(async (lab, daemon, core) => {
        await daemon.checked(1, daemon.journal.mark());
        const since = daemon.journal.mark();
        const heard = await lab.internet.call('browserCount', undefined);
        await largeLost(bytes).apply(lab);
        const brokenAtMs = Date.now();
        await core.call('sayLarge', { bytes: LARGE_BYTES });
        const told = await daemon.journal.until(
          () => daemon.journal.find(({ msg }) => msg.startsWith('Large packets are lost on the way out'), since)[0],
          'the line that names it',
          { timeoutMs: 2 * NAMED_MS },
        );
        t.diagnostic(`named after ${told.atMs - brokenAtMs} ms`);
        t.diagnostic(told.msg);
        assert.equal(told.level, 'warn');
        assert.match(told.msg, sizes);
        assert.ok(told.atMs - brokenAtMs < NAMED_MS, daemon.journal.tail());
        const offline = daemon.verdicts(since).map(({ line }) => textOf(line));
        assert.deepEqual(offline, [], daemon.journal.tail());

        const [file = '', ...args] = command.exec(told.msg)?.[1]?.split(' ') ?? [];
        assert.notEqual(file, '', told.msg);
        const mended = daemon.journal.mark();
        const mendedAtMs = Date.now();
        await run('ip', ['netns', 'exec', lab.namespace('pi'), file, ...args]);
        const large = (): Promise<boolean> =>
          lab.internet
            .call('browserMessages', { since: heard })
            .then((messages) => messages.some(({ data }) => JSON.stringify(data).length > LARGE_BYTES));
        while (!(await large())) {
          assert.ok(Date.now() - mendedAtMs < MENDED_MS, daemon.journal.tail(60));
          await daemon.checked(1, daemon.journal.mark());
        }
        t.diagnostic(`what was said arrived ${Date.now() - mendedAtMs} ms after the command`);
        assert.equal(daemon.journal.find(({ msg }) => msg.startsWith('Large packets are lost'), mended).length, 0);
      }));
});

describe('IPv6 loses large packets on the way out', () => {
  let lab: Lab;
  let daemon: LabDaemon | undefined;
  const lag = new MachineLag();
  beforeEach(async () => {
    lab = await Lab.create();
  });
  afterEach(async () => {
    await daemon?.kill();
    await lab.destroy();
  });
  after(() => lag.stop());

  /** From now to `end`, without what the machine kept from whoever must be quick. */
  async function timed(running: LabDaemon, fromMs: number, end: () => Promise<{ readonly atMs: number }>) {
    const pids = [running.pid, lab.internet.pid];
    const waitedMs = waitedForProcessorMs(pids);
    const { atMs } = await end();
    return { tookMs: atMs - fromMs, lateMs: lag.between(fromMs, atMs) + waitedForProcessorMs(pids) - waitedMs };
  }
  const told = (running: LabDaemon, to: RegExp): readonly (readonly [string, boolean])[] =>
    running.journal
      .find(({ msg }) => msg.includes('is lost on its way'))
      .map(({ level, msg }) => [level, to.test(msg)] as const);
  const assertOverIpv4 = async (): Promise<void> => {
    const ways = await lab.connectionsTo('pi', PORTS.cloud);
    assert.ok(ways.length === 1 && !ways[0]?.includes('fd77'), ways.join('\n'));
  };

  it('the request that signs in is made once more over IPv4, told once, and the WebSocket goes that way at once', async (t) => {
    await ipv6LargeLostOut.apply(lab);
    const key = 'k'.repeat(700);
    daemon = LabDaemon.start(lab, { env: { WEBPUBSUB_NEGOTIATE_URL: `${NEGOTIATE_URL}?code=${key}` } });
    const running = daemon;
    const begun = await daemon.journal.until(() => running.attempts()[0], 'an attempt to connect');
    const { tookMs, lateMs } = await timed(daemon, begun.atMs, () => running.joined());
    t.diagnostic(`sign-in and WebSocket ${tookMs} ms (machine late ${lateMs} ms)`);
    assert.ok(tookMs <= CONNECTS_MS + lateMs, `${tookMs} ms\n${daemon.journal.tail(60)}`);
    assert.deepEqual(
      told(daemon, /to the sign-in over IPv6 .* IPv4 is tried/),
      [['warn', true]],
      daemon.journal.tail(60),
    );
    const { negotiations, upgrades } = (await lab.internet.call('cloud', undefined)).counts;
    assert.deepEqual({ negotiations, upgrades }, { negotiations: 1, upgrades: 1 });
    await assertOverIpv4();
  });

  it('the request that resumes a session is made once more over IPv4, and nothing is lost', async (t) => {
    daemon = LabDaemon.start(lab, { env: { DUNEBUGGER_WEBSOCKET_RETURN_SPREAD_SECS: '0' } });
    const running = daemon;
    await daemon.joined();
    assert.ok(
      (await lab.connectionsTo('pi', PORTS.cloud)).some((way) => way.includes('fd77')),
      'it is over IPv6',
    );
    await ipv6LargeLostOut.apply(lab);
    const since = daemon.journal.mark();
    const droppedAtMs = Date.now();
    await lab.internet.call('cloudFault', 'drop');
    const { tookMs, lateMs } = await timed(daemon, droppedAtMs, () => running.joined(since));
    t.diagnostic(`resumed ${tookMs} ms after the drop (machine late ${lateMs} ms)`);
    assert.ok(tookMs <= RESUMES_MS + lateMs, `${tookMs} ms\n${daemon.journal.tail(60)}`);
    assert.deepEqual(
      daemon.joins(since).map(({ recovered }) => recovered),
      [true],
      daemon.journal.tail(60),
    );
    assert.deepEqual(
      told(daemon, /to the cloud over IPv6 .* IPv4 is tried/),
      [['warn', true]],
      daemon.journal.tail(60),
    );
    await assertOverIpv4();
  });
});
