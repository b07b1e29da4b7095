/**
 * The daemon as a process within the memory that the package gives it, and everything that a hostile browser, service or component can send it. Nothing reaches the
 * bus that must not, and the process goes on with the same memory and a log that stays readable.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { isFirstAnswer } from '../support/components.js';
import type { FrontEnd } from '../support/front-end.js';
import { GROUP, Installation, type LogLine } from '../support/installation.js';
import { findNatsServer } from '../support/nats-server.js';
import { environmentOfUnit, memoryOfUnit, nodeArgsOfLauncher } from '../support/packaged.js';
import { until } from '../support/until.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;
const TEN_MB = 10_000_000;
const MIB = 1_024 * 1_024;
const A_STARVED_DAEMON_MS = 300_000;
/** Of a message that a browser may send, on the bus. */
const PLAIN = /^dunebugger\.(core|scheduler)\.[A-Za-z0-9_-]{1,64}$/;

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('hostile input against the whole of it', { skip }, () => {
  let site: Installation;
  let page: FrontEnd;
  let spy: NatsConnection;
  const onTheBus: string[] = [];

  before(async () => {
    site = await Installation.create({
      nodeArgs: nodeArgsOfLauncher(),
      env: {
        // V8 ends a process that needs a larger heap, so a leak or a queue without a bound is a crash here and not a matter of patience.
        NODE_OPTIONS: environmentOfUnit('NODE_OPTIONS'),
        DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'INFO',
        MALLOC_ARENA_MAX: environmentOfUnit('MALLOC_ARENA_MAX'),
      },
      // However late a busy machine has the daemon read, the server waits: by default it would drop whoever is behind by 64 MB or 10 s.
      natsConf: 'max_payload: 16777216\nmax_pending: 1073741824\nwrite_deadline: "300s"\n',
    });
    page = await site.openPage({ asksForStates: false });
    await site.startConnected();
    spy = await connect({ servers: site.nats.url, reconnect: false });
    spy.subscribe('>', { callback: (_error, { subject }) => void onTheBus.push(subject) });
    await spy.flush();
    await works('before');
  });
  after(async () => {
    await spy.close();
    await site.stop();
  });

  /** It lives, and a message of each way gets through, once the flood limit lets one. */
  async function works(mark: string): Promise<void> {
    let tries = 0;
    const isMark = ({ body }: { body: unknown }): boolean => body === mark;
    while (!site.core.commands.some(isMark)) {
      tries += 1;
      assert.ok(tries < 100, 'no command gets through any more');
      await page.send('core.dunebugger_set', mark);
      await site.core.waitForCommand(isMark, { timeoutMs: 500 }).catch(() => undefined);
    }
    site.core.publish('sequence', mark);
    await page.waitFor('sequence', (body) => body === mark);
    assert.equal(site.daemon.exit, undefined);
  }

  /** Subjects on the bus since index `since` that are neither plain nor the components' own. */
  function strange(since: number): readonly string[] {
    const own = /^dunebugger\.remote\./;
    return onTheBus.slice(since).filter((subject) => !PLAIN.test(subject) && !own.test(subject));
  }

  function memoryBytes(field: 'VmHWM' | 'VmRSS' | 'RssFile'): number {
    const status = readFileSync(`/proc/${site.daemon.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024;
  }

  /** What the log says of messages since line `since`: a busy machine may have the checks and the connection time out, which is told beside it. */
  function toldOfMessages(since: number): readonly LogLine[] {
    return site
      .log()
      .slice(since)
      .filter(({ msg }) => /\bmessages?\b/.test(msg) && !/connection/.test(msg));
  }

  it('wildcards, blanks, dots and protocol in a subject', async () => {
    const since = onTheBus.length;
    for (const subject of [
      'core.>',
      'core.*',
      '*.x',
      '>',
      'core.a.b',
      'core.',
      'core',
      '.core',
      '.',
      '',
      'core..x',
      'core.x.',
      'core. x',
      'core.x\t',
      'core.x\0',
      'core.\r\nPUB dunebugger.core.x 0\r\n\r\n',
      'scheduler.x\n',
      'core.$SYS',
      'core.ü',
      'core.%2e',
      `core.${'x'.repeat(65)}`,
      `core.${'x'.repeat(60_000)}`,
      '$SYS.REQ',
      '_INBOX.x',
      'remote.heartbeat',
      'dunebugger.core',
      '__proto__.x',
      'constructor.x',
      'controller.__proto__',
      'CORE.x',
    ]) {
      await page.send(subject, 'x');
    }
    await works('after the subjects');
    const sent = onTheBus.slice(since).filter((subject) => subject.startsWith('dunebugger.core.'));
    assert.deepEqual(strange(since), []);
    assert.ok(
      sent.every((subject) => ['dunebugger.core.dunebugger_set', 'dunebugger.core.heartbeat'].includes(subject)),
      sent.join(),
    );
  });

  it('wrong types, everywhere a type can be wrong', async () => {
    const since = onTheBus.length;
    const odd: readonly unknown[] = [
      null,
      true,
      0,
      -1.5,
      '',
      'text',
      [],
      {},
      ['core.x'],
      { toString: 'core.x' },
      [[['core.x']]],
    ];
    for (const value of odd) {
      await page.sendRaw(value ?? 'null');
      await page.sendRaw({ subject: value, body: 'x' });
      await page.sendRaw({ subject: 'controller.heartbeat', body: value, connectionId: value });
    }
    for (const connectionId of [1, true, {}, ['x'], 'x'.repeat(300)]) {
      await page.sendRaw({ subject: 'core.wrong_id', body: 'x', connectionId });
    }
    site.cloud.pubsub.sendToGroup(GROUP, 'plain text', 'text');
    site.cloud.pubsub.sendToGroup(GROUP, Buffer.from('bytes').toString('base64'), 'binary');
    site.cloud.pubsub.sendFromServer({ subject: 'core.from_server', body: 'x' });
    await works('after the types');
    assert.deepEqual(strange(since), []);
    assert.ok(!onTheBus.slice(since).some((subject) => /wrong_id|core\.x/.test(subject)));
  });

  it('messages that are deep, wide or large', async () => {
    const since = onTheBus.length;
    await page.sendRaw({ subject: 'core.deep', body: JSON.parse(deep(33)) as unknown });
    await page.sendRaw({ subject: 'core.deep', body: JSON.parse(deep(1_000)) as unknown });
    await page.sendRaw({ subject: 'core.wide', body: Array.from({ length: 500_000 }, () => 0) });
    await page.sendRaw({ subject: 'core.large', body: 'x'.repeat(983_040) });
    await page.sendRaw({ subject: 'core.large', body: 'ü'.repeat(495_000) });
    await page.sendRaw({ subject: 'core.fits', body: 'x'.repeat(900_000) });
    await page.sendRaw({ subject: 'core.fits', body: 'x'.repeat(60_000) });
    await page.sendRaw({ subject: 'core.fits', body: JSON.parse(deep(30)) as unknown });
    await works('after the sizes');
    assert.deepEqual(strange(since), []);
    const sent = onTheBus.slice(since).filter((subject) => /core\.(deep|wide|large|fits)$/.test(subject));
    assert.deepEqual(sent, ['dunebugger.core.fits', 'dunebugger.core.fits', 'dunebugger.core.fits']);
  });

  it('frames of the service that are too large, too deep or none', async () => {
    const since = onTheBus.length;
    const device = { userId: 'device' };
    const head = `{"type":"message","from":"group","group":"${GROUP}","dataType":"json","sequenceId":999999,"data":`;
    for (const frame of [
      `${head}{"subject":"core.huge","body":"${'x'.repeat(TEN_MB)}"}}`,
      `${head}{"subject":"core.huge","body":${deep(1_000_000)}}}`,
      `${head}{"subject":"core.cut"`,
      '{"type":"system","event":"connected","userId":7}',
      '{"type":"ack","ackId":"x","success":"maybe"}',
      '{"type":"nothing that exists"}',
      'null',
      '[]',
      'no JSON at all',
      Buffer.alloc(TEN_MB),
    ]) {
      site.cloud.pubsub.sendRaw(frame, device);
      // A frame may end the connection, but never the process; the next one finds it back.
      await site.joined();
    }
    await works('after the frames');
    assert.deepEqual(strange(since), []);
    assert.ok(!onTheBus.slice(since).some((subject) => /core\.(huge|cut)/.test(subject)));
  });

  it('a flood of 10,000 messages is limited, and is two lines in the log', async () => {
    const since = onTheBus.length;
    const lines = site.log().length;
    // The service keeps 1,000 messages for whoever has not acknowledged them: what is sent before any acknowledgement can travel must stay below.
    const kept = (): number =>
      Math.max(
        0,
        ...site.cloud.pubsub.sessions
          .filter(({ dropped, userId }) => !dropped && userId === 'device')
          .map(({ unacknowledged }) => unacknowledged),
      );
    for (let i = 0; i < 10_000; i += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, k) => page.send('core.flood', i + k)));
      await until(() => kept() < 400, 'the flood is acknowledged');
    }
    await works('after the flood');
    const passed = onTheBus.slice(since).filter((subject) => subject === 'dunebugger.core.flood').length;
    assert.ok(passed >= 200 && passed < 5_000, `${passed} passed; ${JSON.stringify(site.log().slice(lines))}`);
    const told = toldOfMessages(lines);
    assert.equal(told.filter(({ msg }) => msg.startsWith('More messages from the group')).length, 1);
    assert.ok(told.length <= 5, JSON.stringify(told));
  });

  it('the bus: messages that are too large, too deep, not JSON, of unknown subjects, or too many', async () => {
    const lines = site.log().length;
    const from = page.seen.length;
    const strangeBefore = page.strange.length;
    const say = (subject: string, data: Uint8Array | string): void =>
      site.core.publishRaw(`dunebugger.remote.${subject}`, data);
    for (let i = 0; i < 5; i += 1) {
      say('log', JSON.stringify({ subject: 'log', body: 'x'.repeat(TEN_MB) }));
      say('gpio_state', `{"subject":"gpio_state","body":${deep(1_000_000)}}`);
      await site.core.listening();
    }
    for (const data of [
      '',
      'no JSON',
      '[]',
      'null',
      '7',
      '{}',
      '{"subject":"log"}',
      '{"subject":7,"body":1}',
      Buffer.from([0xff, 0xfe]),
    ]) {
      say('log', data);
      say('heartbeat', data);
      say('__proto__', data);
    }
    say('log', JSON.stringify({ subject: 'heartbeat', body: 'I am alive' }));
    say('sequence', `{"subject":"sequence","body":${deep(70)}}`);
    for (let i = 0; i < 10_000; i += 1) say('get_nonsense', '{"subject":"get_nonsense","body":1}');
    await works('after the bus');
    // Whether the bus's limits cost the components their connection, and they are asked for their states anew, is not the question.
    const seen = page.seen
      .slice(from)
      .filter(({ subject, body }) => !['heartbeat', 'system_info'].includes(subject) && !isFirstAnswer(subject, body))
      // Answers to what was refused before.
      .filter(({ body }) => (body as { success?: unknown } | null)?.success !== false);
    assert.deepEqual(
      seen.map(({ body }) => body),
      ['after the bus'],
    );
    assert.equal(page.strange.length, strangeBefore);
    const told = toldOfMessages(lines);
    assert.ok(told.length >= 1 && told.length <= 5, JSON.stringify(told));
  });

  it('10,000 large states and logs while the cloud is away wait within a bound', async () => {
    await site.cloud.gate.behave({ kind: 'refuse' });
    await site.cloud.pubsub.waitForLive(0, { timeoutMs: 30_000, userId: 'device' });
    site.cloud.pubsub.forgetDroppedSessions();
    const from = page.seen.length;
    // One letter beyond Latin-1, and all of it takes two bytes a letter in memory.
    const text = `${'x'.repeat(50_000)}€`;
    for (let i = 0; i < 10_000; i += 1) {
      site.core.publish(i % 2 === 0 ? 'log' : 'gpio_state', [i, text]);
      // The stand-in's own memory: what is behind waits in the server.
      if (i % 200 === 0) await site.core.listening();
    }
    await site.core.listening();
    // Its answer comes after all that: a daemon that gets no processor reads for a minute.
    await spy.request('dunebugger.remote.get_status', '', { timeout: A_STARVED_DAEMON_MS });
    await site.cloud.gate.behave({ kind: 'open' });
    await site.joined();
    await works('after the cloud was away');
    const seen = page.seen.slice(from).filter(({ subject }) => ['log', 'gpio_state'].includes(subject));
    assert.ok(seen.length <= 250, `${seen.length} messages waited`);
    const numbers = (subject: string): readonly unknown[] =>
      page.bodies(subject, from).map((body) => (body as readonly unknown[])[0]);
    assert.equal(numbers('log').at(-1), 9_998);
    // Core is asked for its states after a fresh join, and what it answers takes the place of what waited, behind everything else.
    await page.until(() => numbers('gpio_state').at(-1) === 9_999, 'the newest state', { timeoutMs: 30_000 });
  });

  it('the memory has stayed within its bound, and the log is short', (t) => {
    // Without what is Node's own file: that is given back whenever the memory is wanted.
    const own = (field: 'VmHWM' | 'VmRSS'): number => memoryBytes(field) - memoryBytes('RssFile');
    t.diagnostic(
      `its own memory: ${Math.round(own('VmRSS') / MIB)} MiB, ${Math.round(own('VmHWM') / MIB)} MiB at most`,
    );
    assert.ok(own('VmHWM') > 20 * MIB, 'measured at all');
    assert.ok(own('VmHWM') < memoryOfUnit('MemoryMax'), `${Math.round(own('VmHWM') / MIB)} MiB at most`);
    const lines = site.daemon.lines;
    t.diagnostic(`${lines.length} lines in the log`);
    assert.ok(lines.length < 200, `${lines.length} lines`);
    assert.ok(lines.every((line) => line.length < 5_000));
    assert.deepEqual(
      site.log().filter(({ level }) => level === 'fatal'),
      [],
    );
    assert.equal(site.cloud.pubsub.maxLiveConnections('device'), 1);
  });
});
