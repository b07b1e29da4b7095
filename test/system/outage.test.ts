/** Real outages of a lab's links, routes and servers, as the journal, the status line and a browser see them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { blackHole, dnsDropped, linkDown, type Fault } from '../lab/faults.js';
import type { Lab } from '../lab/lab.js';
import { leaveOnlyTheProxy, startTinyproxy } from '../lab/tinyproxy.js';
import { LAN, PORTS } from '../lab/topology.js';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import { MemoryGroup } from './cgroup.js';
import type { JournalEntry, Machine } from './machine.js';
import { CA_FILE, CONNECTED, machineInLab } from './online.js';
import { CONF, ENVIRONMENT, mainPid, UNIT } from './service.js';

/** Resident memory with everything on, when the traffic is over. Measured: see "Memory" in ARCHITECTURE.md. */
const RESTING_MB = 84;
const RESTING_PATIENCE_MS = 90_000;

/** No time server reaches this machine, so its clock cannot be trusted: that is said, and rightly, at each start. */
const isOfTheClock = ({ message }: { readonly message: string }): boolean =>
  message.startsWith('The clock cannot be trusted: ');

describe('outages, as an operator sees them', () => {
  let lab: Lab;
  let machine: Machine;
  let memory: MemoryGroup | undefined;
  let token: string;

  before(async () => {
    ({ lab, machine, token } = await machineInLab());
    memory = MemoryGroup.create(machine.name, Number(await machine.show('MemoryMax')));
    memory?.add(machine.initPid);
    await machine.sh(`systemctl restart ${UNIT}`);
    memory?.release(machine.initPid);
  });
  after(async () => {
    // A machine is gone before its network is.
    await machine.stop();
    memory?.remove();
    await lab.destroy();
  });

  const own = async (sinceMs: number, ...filters: string[]): Promise<JournalEntry[]> =>
    (await machine.journal(UNIT, '--identifier=dunebugger-remote', ...filters)).filter(({ atMs }) => atMs >= sinceMs);
  const statusIs = (pattern: RegExp): Promise<boolean> =>
    machine.until(
      `the status is ${String(pattern)}`,
      async () => pattern.test(await machine.show('StatusText')),
      60_000,
    );
  const texts = (entries: readonly JournalEntry[]): string =>
    entries.map((e) => `<${e.priority}> ${e.message}`).join('\n');

  /** Breaks something for a time; resolves with what the service said from then until it was connected again. */
  async function outage(fault: Fault, status: RegExp, lastsMs: number): Promise<JournalEntry[]> {
    const from = Date.now();
    await fault.apply(lab);
    await statusIs(status);
    await delay(lastsMs);
    await fault.repair(lab);
    await statusIs(CONNECTED);
    return own(from);
  }

  it('online: the status line says since when and in which group, and the group hears it', async () => {
    await statusIs(CONNECTED);
    const heard = await lab.internet.call('browserMessages', { since: 0 });
    assert.ok(
      heard.some(({ data }) => (data as { subject?: string }).subject === 'heartbeat'),
      JSON.stringify(heard),
    );
    assert.deepEqual(texts((await own(0, '--priority=warning')).filter((line) => !isOfTheClock(line))), '');
  });

  it('a name server gone silent alone is no outage: nothing to say', async () => {
    const from = Date.now();
    await dnsDropped.apply(lab);
    await delay(10_000);
    await dnsDropped.repair(lab);
    assert.match(await machine.show('StatusText'), CONNECTED);
    assert.equal(texts(await own(from)), '');
  });

  it('a dead line: said once, with the reason and what happens next, and once more when it is over', async (t) => {
    const lines = await outage(blackHole, /^Offline since \d\d:\d\d: .+; next look in 2 s(;|$)/, 8_000);
    t.diagnostic(texts(lines));
    assert.ok(lines.length >= 4 && lines.length <= 10, texts(lines));
    const lost = lines.filter(({ message }) => message.startsWith('Offline: '));
    assert.equal(lost.length, 1);
    assert.equal(lost[0]!.priority, 4);
    assert.equal(new Set(lines.map(({ message }) => message)).size, lines.length, 'no line twice');
  });

  it('a pulled link: known at once', async (t) => {
    const lines = await outage(linkDown, /^Offline since \d\d:\d\d: no network link; next look in 2 s(;|$)/, 3_000);
    t.diagnostic(texts(lines));
    assert.ok(lines.length >= 4 && lines.length <= 10, texts(lines));
  });

  it('priorities: nothing at err, the losses at warning, the whole story at info', async () => {
    assert.equal(texts(await own(0, '--priority=err')), '');
    const all = await own(0, '--priority=warning');
    assert.ok(all.some(isOfTheClock), texts(all));
    const warnings = all.filter((line) => !isOfTheClock(line));
    assert.ok(warnings.length >= 2, texts(warnings));
    for (const { message } of warnings)
      assert.match(message, /^(Offline: |Internet lost |Cloud connection interrupted )/);
    const info = await own(0, '--priority=info');
    assert.ok(
      info.some(({ message }) => message.startsWith('Online')),
      texts(info),
    );
    assert.ok(
      info.some(({ message }) => /connected/i.test(message)),
      texts(info),
    );
    assert.equal((await own(0, '--priority=debug')).length, info.length, 'no debug lines unless asked for');
  });

  it('a link that flaps and flaps: repeats are counted, not written', async () => {
    const from = Date.now();
    // Each flap is seen before the next one: a machine that is slow may look at its links only once a second.
    for (let round = 0; round < 26; round += 1) {
      await linkDown.apply(lab);
      await statusIs(/^Offline/);
      await linkDown.repair(lab);
      await statusIs(/^(?!Offline)/);
    }
    await statusIs(CONNECTED);
    const perMessage = new Map<string, number>();
    const lines = await own(from);
    for (const { message } of lines) {
      const kind = message.replace(/\d+/g, 'N').replace(/ \w+=.*/, '');
      perMessage.set(kind, (perMessage.get(kind) ?? 0) + 1);
    }
    for (const [kind, count] of perMessage) assert.ok(count <= 21, `${count} × ${kind}`);
    assert.ok(
      (perMessage.get(
        'Offline: no network link; looking again every N s. Look at the cable, the access point and its password: ip link, nmcli device',
      ) ?? 0) >= 10,
      JSON.stringify([...perMessage]),
    );
  });

  it('no secret in the journal, at debug level', async () => {
    await machine.write(CONF, '[Log]\ndunebuggerLogLevel = DEBUG\n');
    const from = Date.now();
    await machine.sh(`systemctl reload ${UNIT}`);
    await machine.until('debug lines', async () => (await own(from)).some(({ priority }) => priority === 7));
    await lab.internet.call('browserSend', { data: { subject: 'controller.heartbeat', body: '', connectionId: 'b' } });
    await outage(linkDown, /^Offline/, 1_000);
    await machine.sh(`systemctl restart ${UNIT}`);
    await statusIs(CONNECTED);
    const everything = await machine.sh('journalctl --output=json --no-pager');
    assert.ok(everything.includes('"PRIORITY":"7"'));
    const [head = '', payload = '', signature = ''] = token.split('.');
    for (const part of [token, payload, signature]) assert.ok(part.length > 10 && !everything.includes(part), 'token');
    assert.ok(head.length > 0);
    assert.doesNotMatch(everything, /access_token=(?!\[|…|\*|<|hidden)/);
    assert.ok(!(await machine.show('StatusText')).includes(payload));
  });

  it('a network whose only way out is a proxy that wants a login: one line in the environment', async () => {
    const environment = await machine.sh(`cat ${ENVIRONMENT}`);
    const login = { user: 'pi', password: 'Loschwitz-1891' };
    const proxy = await startTinyproxy(lab, { port: 3_128, login });
    await leaveOnlyTheProxy(lab);
    await machine.sh(`systemctl restart ${UNIT}`);
    await statusIs(/^Offline since .*: no address or no route/);
    const line = `HTTPS_PROXY=http://${login.user}:${login.password}@${LAN.v4}:3128\n`;
    await machine.write(ENVIRONMENT, environment + line, '600');
    await machine.sh(`systemctl restart ${UNIT}`);
    await statusIs(CONNECTED);
    assert.deepEqual(await lab.connectionsTo('pi', PORTS.cloud), []);
    assert.ok(!(await machine.sh('journalctl --output=json --no-pager')).includes(login.password));
    await machine.write(ENVIRONMENT, environment, '600');
    proxy.kill();
    await lab.removeRules('router', 'direct');
    await lab.configure();
    await machine.sh(`systemctl restart ${UNIT}`);
    await statusIs(CONNECTED);
  });

  it('no store of certificates is named with the command; one that knows the authority needs no setting', async () => {
    const environment = await machine.sh(`cat ${ENVIRONMENT}`);
    await machine.write(ENVIRONMENT, environment.replace(/^DUNEBUGGER_NETWORK_CA_FILE=.*\n/m, ''), '600');
    await machine.sh(`mv /etc/ssl/certs /etc/ssl/certs.away; systemctl restart ${UNIT}`);
    await statusIs(/^Offline since .*: no store of certificates here/);
    const from = Date.now() - 60_000;
    const lines = texts(await own(from, '--priority=warning'));
    assert.match(lines, /Offline: no store of certificates here.*sudo apt install ca-certificates/);
    await machine.sh(`mv /etc/ssl/certs.away /etc/ssl/certs; cp ${CA_FILE} /usr/local/share/ca-certificates/lab.crt
      update-ca-certificates; systemctl restart ${UNIT}`);
    await statusIs(CONNECTED);
  });

  it('its memory: under MemoryMax through all this and traffic, and little of it at rest, with bus, page and history', async (t) => {
    const nats = findNatsServer();
    if (nats === undefined) throw new NatsServerMissingError();
    // Until the lab ends.
    lab.exec('pi', nats, ['-a', '127.0.0.1', '-p', '4222'], { stdio: 'ignore' });
    const environment = await machine.sh(`cat ${ENVIRONMENT}`);
    const withBus = environment.replace(
      'DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_ENABLED=False',
      'DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS=nats://127.0.0.1:4222',
    );
    assert.notEqual(withBus, environment);
    await machine.write(ENVIRONMENT, withBus, '600');
    // Not the one of before the restart above.
    memory?.add(machine.initPid);
    await machine.write(CONF, '[Status]\nstatusPage = True\n');
    const from = Date.now();
    await machine.sh(`systemctl restart ${UNIT}`);
    memory?.release(machine.initPid);
    await statusIs(CONNECTED);
    await machine.until('the bus is there', async () => /The bus is there/.test(texts(await own(from))), 30_000);
    const pid = await mainPid(machine);
    const endMs = performance.now() + 20_000;
    for (let sent = 0; performance.now() < endMs; sent += 1) {
      await lab.internet.call('browserSend', {
        data: {
          subject: sent % 10 === 0 ? 'controller.system_info' : 'controller.heartbeat',
          body: 'x'.repeat(1_000),
          connectionId: 'b',
        },
      });
      await delay(25);
    }
    for (const path of ['/', '/metrics', '/outages.csv'])
      await machine.sh(`node -e "fetch('http://127.0.0.1:8088${path}').then((a) => process.exit(a.ok ? 0 : 1))"`);
    assert.equal(await mainPid(machine), pid);
    const maxBytes = Number(await machine.show('MemoryMax'));
    assert.equal(maxBytes, 180 * 1024 * 1024);
    const peakBytes = memory?.peakBytes ?? Number(await machine.show('MemoryPeak'));
    const resident = (): Promise<string> => machine.sh(`grep -E '^(VmHWM|VmRSS|RssAnon|RssFile)' /proc/${pid}/status`);
    t.diagnostic(`after traffic: ${(await resident()).replaceAll(/\s+/g, ' ')}`);
    t.diagnostic(`peak ${Math.round(peakBytes / 1024 / 1024)} MiB of ${maxBytes / 1024 / 1024}`);
    assert.ok(peakBytes > 30 * 1024 * 1024, 'measured at all');
    assert.ok(peakBytes < maxBytes, `${peakBytes}`);
    assert.equal(memory?.failures ?? 0, 0);
    // V8 gives back what traffic took when it has had nothing to do for some seconds.
    const restingKb = async (): Promise<number> => Number(/^VmRSS:\s+(\d+)/m.exec(await resident())?.[1]);
    try {
      await machine.until(
        `at most ${RESTING_MB} MB resident`,
        async () => (await restingKb()) <= RESTING_MB * 1024,
        RESTING_PATIENCE_MS,
      );
    } finally {
      t.diagnostic(`at rest: ${(await resident()).replaceAll(/\s+/g, ' ')}`);
    }
  });
});
