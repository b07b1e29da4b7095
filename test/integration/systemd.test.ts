/** The notifier against a real unix datagram socket, as systemd's own is one. A real systemd: test/system. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { SystemdNotifier } from '../../src/main/systemd.js';
import { RecordedLog } from '../support/recorded-log.js';

/** Node has no unix datagram sockets. Closes the descriptors that systemd-notify waits for. Told `sender`, it tells who sent it. */
const RECEIVER = `
import array, json, os, socket, struct, sys
path, *more = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
s.bind(path.replace("@", "\\0", 1) if path.startswith("@") else path)
print(json.dumps("listening"), flush=True)
while True:
    data, extras, _, _ = s.recvmsg(65536, 1024)
    sender = 0
    for level, kind, extra in extras:
        if kind == socket.SCM_CREDENTIALS: sender = struct.unpack("3i", extra)[0]
        if kind == socket.SCM_RIGHTS:
            for fd in array.array("i", extra): os.close(fd)
    text = data.decode()
    if text != "BARRIER=1": print(json.dumps(f"{sender} {text}" if more else text), flush=True)
`;
import { endOf } from '../support/ends.js';
/** Of the source, not of what is built. */
const LAUNCHER = fileURLToPath(new URL('../../../conf/with-notify-socket', import.meta.url));
const CHILD = fileURLToPath(new URL('./notify-child.js', import.meta.url));

describe('SystemdNotifier', () => {
  let folder: string;
  let socket: string;
  let receiver: ChildProcess;
  let messages: string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'notify-'));
    socket = join(folder, 'notify');
    receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: receiver.stdout! });
    await once(lines, 'line');
    lines.on('line', (line) => messages.push(JSON.parse(line) as string));
  });
  after(() => {
    receiver.kill();
    rmSync(folder, { recursive: true });
  });

  function notifier(extra: Partial<ConstructorParameters<typeof SystemdNotifier>[0]> = {}, env: object = {}) {
    messages = [];
    const log = new RecordedLog();
    const options = { env: { PATH: process.env['PATH'], NOTIFY_SOCKET: socket, ...env }, log };
    return { log, notifier: new SystemdNotifier({ ...options, ...extra }) };
  }

  async function until(what: string, holds: () => boolean): Promise<void> {
    const endMs = performance.now() + 20_000;
    while (!holds()) {
      assert.ok(performance.now() < endMs, `not seen: ${what}; seen: ${JSON.stringify(messages)}`);
      await delay(10);
    }
  }

  /** A program in place of systemd-notify that notes its arguments and environment, and then does as `script` says. */
  function program(name: string, script: string): string {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  it('says that it is ready and how it is, in one message', async () => {
    const { notifier: it } = notifier();
    await it.ready('Online, connected since 14:02, group velasquez');
    await until('READY', () => messages.length === 1);
    assert.deepEqual(messages[0]!.trim().split('\n'), [
      'READY=1',
      'STATUS=Online, connected since 14:02, group velasquez',
    ]);
  });

  it('a message cannot forge another field, nor grow without bound', async () => {
    const { notifier: it } = notifier();
    await it.status(`a\nWATCHDOG=trigger\r\u0000\u001bb${'x'.repeat(10_000)}`);
    await until('STATUS', () => messages.length === 1);
    assert.match(messages[0]!, /^STATUS=a WATCHDOG=trigger bx+\n?$/);
    assert.ok(messages[0]!.length < 400);
  });

  it('reload: RELOADING, then READY with the status, in this order', async () => {
    const { notifier: it } = notifier();
    await it.reloading();
    await it.ready('fine');
    await until('both', () => messages.length === 2);
    assert.deepEqual(
      messages.map((message) => message.trim()),
      ['RELOADING=1', 'READY=1\nSTATUS=fine'],
    );
  });

  it('what comes in faster than it goes out is merged; the last word counts, and nothing is left behind', async () => {
    const { notifier: it } = notifier();
    for (let round = 1; round <= 50; round += 1) {
      void it.status(`round ${round}`);
      // Every kind of gap: the same turn, a later turn, while a message is on its way, just as one ends.
      if (round % 3 === 0) await delay(round % 4);
      if (round % 10 === 0) await it.status(`round ${round}, waited for`);
    }
    await it.status('the end');
    await until('the end', () => messages.at(-1)?.trim() === 'STATUS=the end');
    assert.ok(messages.length <= 30, `${messages.length} messages`);
  });

  it('feeds the watchdog three times as often as asked while healthy, and not while sick', async () => {
    const { notifier: it, log } = notifier({}, { WATCHDOG_USEC: '600000', WATCHDOG_PID: String(process.pid) });
    assert.equal(it.watchdogIntervalMs, 200);
    let sick: string | undefined;
    const fed = (): number => messages.filter((message) => message.trim() === 'WATCHDOG=1').length;
    it.startWatchdog(() => sick);
    await until('fed twice', () => fed() >= 2);

    sick = 'the worker thread does not answer';
    await until('the complaint', () => log.lines.length > 0);
    await it.status('a message already on its way has arrived');
    await until('it', () => messages.some((message) => message.includes('already on its way')));
    const before = fed();
    await delay(700);
    assert.equal(fed(), before, 'fed while sick');
    assert.equal(log.lines.length, 1, 'one line however long it lasts');
    assert.match(log.lines[0]!.message, /^Not healthy: the worker thread does not answer; systemd restarts/);
    assert.equal(log.lines[0]!.level, 'error');

    sick = undefined;
    await until('fed again', () => fed() > before);
    assert.equal(log.lines[1]!.message, 'Healthy again');
    await it.stopping('Stopping');
    const last = fed();
    await delay(500);
    assert.equal(fed(), last, 'fed after stopping');
    assert.ok(messages.some((message) => message.includes('STOPPING=1')));
  });

  it('a watchdog of another process, or of no sense, is none', () => {
    for (const env of [
      { WATCHDOG_USEC: '600000', WATCHDOG_PID: '1' },
      { WATCHDOG_USEC: 'abc' },
      { WATCHDOG_USEC: '0' },
      {},
    ]) {
      assert.equal(notifier({}, env).notifier.watchdogIntervalMs, undefined, JSON.stringify(env));
    }
  });

  it('does nothing where systemd has not asked', async () => {
    const { notifier: it, log } = notifier({ program: '/nonexistent' }, { NOTIFY_SOCKET: undefined });
    assert.equal(it.enabled, false);
    await it.ready('x');
    it.startWatchdog(() => 'sick');
    await it.stopping('x');
    assert.deepEqual(log.lines, []);
  });

  it('hands no secret of its environment to the program', async () => {
    const noted = join(folder, 'env');
    const { notifier: it } = notifier(
      { program: program('env.sh', `/usr/bin/env > ${noted}`) },
      { AUTH0_PASSWORD: 'p' },
    );
    await it.ready('x');
    assert.match(readFileSync(noted, 'utf8'), /NOTIFY_SOCKET=/);
    assert.doesNotMatch(readFileSync(noted, 'utf8'), /AUTH0/);
  });

  for (const [what, make, problem] of [
    ['that is missing', () => '/nonexistent/systemd-notify', /ENOENT/],
    ['that fails', () => program('fails.sh', 'exit 3'), /ended with 3/],
    ['that hangs', () => program('hangs.sh', 'exec sleep 600'), /ended with SIGKILL/],
  ] as const) {
    it(`a program ${what}: one warning, not one a message, and life goes on`, async () => {
      const { notifier: it, log } = notifier({ program: make(), deadlineMs: 300 });
      await it.ready('x');
      await it.status('y');
      assert.equal(log.lines.length, 1);
      assert.equal(log.lines[0]!.level, 'warn');
      assert.match(log.lines[0]!.message, /^Could not notify systemd \(.*tried again within 5 s$/);
      assert.match(String(log.lines[0]!.fields['problem']), problem);
    });
  }

  it('what systemd did not get is told with the next message, newest words first; a sign of life is not told late', async () => {
    const missing = join(folder, 'comes-later');
    const { notifier: it } = notifier({ program: missing }, { WATCHDOG_USEC: String(3_600_000_000) });
    await it.ready('starting');
    it.startWatchdog(() => undefined);
    await it.status('older');
    writeFileSync(missing, '#!/bin/sh\nexec systemd-notify "$@"\n');
    chmodSync(missing, 0o755);
    await it.status('newer');
    it.stopWatchdog();
    await until('READY', () => messages.length > 0);
    assert.deepEqual(messages[0]!.trim().split('\n').sort(), ['READY=1', 'STATUS=newer']);
  });

  it('a process that the system refuses to start, by an exception, ends nothing', async () => {
    // What no file can be called is refused by spawn itself, as ENOMEM is.
    const { notifier: it, log } = notifier({ program: 'systemd\0notify' });
    await it.ready('x');
    await it.status('y');
    assert.equal(log.lines.length, 1);
    assert.match(log.lines[0]!.message, /Could not notify systemd/);
  });
});

describe('SystemdNotifier, started by with-notify-socket', () => {
  for (const [name, place] of [
    ['a socket in the file system', (folder: string) => join(folder, 'notify')],
    ['an abstract socket', (folder: string) => `@${folder}/notify`],
  ] as const) {
    it(`${name}: the main process itself tells, with no other process, also once systemd reads again`, async (context) => {
      const folder = mkdtempSync(join(tmpdir(), 'notify-'));
      const socket = place(folder);
      const receiver = spawn('python3', ['-c', RECEIVER, socket, 'sender'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const messages: string[] = [];
      const received = createInterface({ input: receiver.stdout });
      await once(received, 'line');
      received.on('line', (line) => messages.push(JSON.parse(line) as string));
      const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '600000' };
      const child = spawn(LAUNCHER, [process.execPath, CHILD], { stdio: ['pipe', 'pipe', 'inherit'], env });
      context.after(() => {
        child.kill();
        receiver.kill('SIGKILL');
        rmSync(folder, { recursive: true });
      });
      const lines: string[] = [];
      createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
      const until = async (holds: () => boolean): Promise<void> => {
        const endMs = performance.now() + 20_000;
        while (!holds()) {
          assert.ok(performance.now() < endMs, JSON.stringify({ messages, lines }));
          await delay(10);
        }
      };
      const count = (message: string): number => messages.filter((one) => one.endsWith(message)).length;

      child.stdin.write('hello\n');
      await until(() => count('READY=1\nSTATUS=hello') === 1 && count('WATCHDOG=1') >= 3);
      assert.ok(lines.includes(`pid: ${child.pid}`), 'nothing of the launcher remains');
      assert.deepEqual(new Set(messages.map((one) => one.split(' ')[0])), new Set([String(child.pid)]));
      const seen = Object.assign({}, ...lines.map((line) => ({ [line]: true }))) as object;
      assert.deepEqual(Object.keys(seen), [`pid: ${child.pid}`, 'done: hello']);

      receiver.kill('SIGSTOP');
      await until(() => / T /.test(readFileSync(`/proc/${receiver.pid}/stat`, 'utf8')));
      child.stdin.write('flood 2000\n');
      await until(() => lines.includes('done: flood 2000'));
      child.stdin.write('the last word\n');
      await until(() => lines.includes('done: the last word'));
      receiver.kill('SIGCONT');
      const fed = count('WATCHDOG=1');
      await until(() => messages.some((one) => /READY=1/.test(one) && /STATUS=the last word/.test(one)));
      await until(() => count('WATCHDOG=1') > fed);
      const warnings = lines.filter((line) => line.startsWith('warn: '));
      assert.equal(warnings.length, 1, warnings.join('; '));
      assert.match(warnings[0]!, /^warn: Could not notify systemd \(EAGAIN.*tried again within 0.2 s$/);
    });
  }

  it('without a socket it is not started; without one to open it becomes the program all the same', async () => {
    const run = async (env: NodeJS.ProcessEnv): Promise<readonly [number | null, string]> => {
      const child = spawn(LAUNCHER, ['/bin/echo', 'started'], { stdio: ['ignore', 'pipe', 'ignore'], env });
      let out = '';
      child.stdout.on('data', (data: Buffer) => (out += data.toString()));
      const { code } = await endOf(child, 'the launcher');
      return [code, out];
    };
    assert.deepEqual(await run({}), [0, 'started\n']);
    const [code, out] = await run({ NOTIFY_SOCKET: '/nonexistent/notify' });
    assert.notEqual(code, 0);
    assert.equal(out, '');
  });

  it('a descriptor that is none is not believed', async () => {
    for (const number of ['', '1', '-3', '3.5', '1000', 'x', '9999999999']) {
      const log = new RecordedLog();
      const env = { NOTIFY_SOCKET: '/nonexistent', NOTIFY_FD: number };
      await new SystemdNotifier({ env, log, program: '/nonexistent' }).ready('x');
      assert.match(String(log.lines[0]!.fields['problem']), /ENOENT/, number);
    }
  });
});
