import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { startMonitor } from '../../src/workers/net/monitor-child.js';
import { followLinks, type LinkEvent, type LinkFollower } from '../../src/workers/probe/link-follower.js';
import type { LinkSnapshot } from '../../src/workers/probe/link-state.js';
import { gathered } from '../support/everything-logged.js';

const ETH0 = { name: 'eth0', up: true, operState: 'up', physical: true };
const GOOD: LinkSnapshot = {
  interfaces: [{ ...ETH0, addresses: ['192.0.2.7'] }],
  defaultRoutes: [{ device: 'eth0', metric: 100, gateway: '0101A8C0' }],
  egress: [{ family: 4, source: '192.0.2.7' }],
};
const ELSEWHERE: LinkSnapshot = {
  ...GOOD,
  interfaces: [{ ...ETH0, addresses: ['192.0.2.8'] }],
  egress: [{ family: 4, source: '192.0.2.8' }],
};
const NO_ROUTE: LinkSnapshot = { ...GOOD, defaultRoutes: [], egress: [{ family: 4, error: 'ENETUNREACH' }] };
const REFUSED: LinkSnapshot = { interfaces: [], defaultRoutes: [], egress: [], refused: 'EMFILE' };
const NO_LINK: LinkSnapshot = { ...NO_ROUTE, interfaces: [{ ...ETH0, operState: 'down', addresses: [] }] };

class FakeChild extends EventEmitter {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  pid: number | undefined = 1;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;
  readonly signals: string[] = [];
  deaf = false;

  kill(signal: NodeJS.Signals): boolean {
    this.signals.push(signal);
    if (!this.deaf || signal === 'SIGKILL') this.end(null, signal);
    return true;
  }

  end(code: number | null, signal: NodeJS.Signals | null = null): void {
    this.exitCode = code;
    this.signalCode = signal;
    this.emit('exit', code, signal);
    this.emit('close', code, signal);
  }
}

/** A follower whose clock, child and kernel are the test's. */
class Bench {
  readonly events: string[] = [];
  readonly logs: string[] = [];
  readonly commands: string[] = [];
  readonly children: FakeChild[] = [];
  snapshot: LinkSnapshot;
  looks = 0;
  /** How long one takes. */
  lookMs = 0;
  throws = false;
  spawnFails: Error | undefined;
  readonly follower: LinkFollower;
  readonly #context: TestContext;
  #nowMs = 0;

  constructor(context: TestContext, snapshot = GOOD) {
    this.snapshot = snapshot;
    this.#context = context;
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const log =
      (level: string) =>
      (_: object, message: string): void => {
        this.logs.push(`${level}: ${message}`);
      };
    this.follower = followLinks({
      onEvent: (event) => this.#onEvent(event),
      log: gathered({ debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }),
      start: (guarded, listener) => startMonitor(guarded, listener, (command, args) => this.#spawn(command, args)),
      look: () => {
        this.looks += 1;
        this.#nowMs += this.lookMs;
        return Promise.resolve(this.snapshot);
      },
      now: () => this.#nowMs,
    });
    context.after(() => this.follower.stop());
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  get child(): FakeChild {
    return this.children.at(-1)!;
  }

  async sign(text = '2: eth0: <BROADCAST> state DOWN'): Promise<void> {
    this.child.stdout.write(`${text}\n`);
    await settle();
  }

  /** Time passes, a millisecond at a time, and what it sets off happens. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i += 1) {
      this.#nowMs += 1;
      this.#context.mock.timers.tick(1);
      // A look is a few promises.
      for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
    }
    await settle();
  }

  /** Much time passes at once. */
  async leap(ms: number): Promise<void> {
    this.#nowMs += ms;
    this.#context.mock.timers.tick(ms);
    await settle();
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    this.commands.push([command, ...args].join(' '));
    if (this.spawnFails !== undefined) throw this.spawnFails;
    const child = new FakeChild();
    this.children.push(child);
    return child as unknown as ChildProcess;
  }

  #onEvent(event: LinkEvent): void {
    const { evidence, sinceMs } = event.state;
    this.events.push(`${event.kind} ${evidence.reason ?? 'ok'} since ${sinceMs}`);
    if (this.throws) throw new Error('a listener');
  }
}

/** Streams and promises have had their turns. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function begin(context: TestContext): Promise<Bench> {
  const bench = new Bench(context);
  await settle();
  await bench.pass(1_000);
  return bench;
}

describe('following the links', () => {
  it('looks at once, and says nothing while all is well', async (context) => {
    const bench = await begin(context);
    assert.deepEqual(bench.follower.state(), { evidence: { phase: 'link', ok: true }, sinceMs: 0 });
    assert.deepEqual(bench.events, []);
  });

  it('reports bad news of the first look, and that it held', async (context) => {
    const bench = new Bench(context, NO_LINK);
    await settle();
    await bench.pass(1_000);
    assert.deepEqual(bench.events, ['changed no-link since 0', 'held no-link since 0']);
  });

  it('makes one look for a burst of signs, the debounce time after the first', async (context) => {
    const bench = await begin(context);
    const before = bench.looks;
    bench.snapshot = NO_LINK;
    await bench.sign('x'.repeat(100_000));
    await bench.pass(19);
    await bench.sign();
    assert.equal(bench.looks, before);
    await bench.pass(1);
    assert.equal(bench.looks, before + 1);
    assert.deepEqual(bench.events, ['changed no-link since 1020']);
  });

  it('in a storm of signs looks take a fortieth of the time, and one of them is never put off by more than a second', async (context) => {
    const STORM_MS = 10_000;
    for (const lookMs of [2, 10, 100]) {
      const bench = await begin(context);
      bench.lookMs = lookMs;
      const before = bench.looks;
      const until = bench.nowMs + STORM_MS;
      while (bench.nowMs < until) {
        bench.child.stdout.write('a sign\n');
        await bench.pass(5);
      }
      const looks = bench.looks - before;
      assert.ok(looks >= 8, `${looks} looks of ${lookMs} ms`);
      assert.ok(looks * lookMs <= STORM_MS / 40 + 2 * lookMs || looks <= 12, `${looks} looks of ${lookMs} ms`);
      await bench.follower.stop();
      context.mock.timers.reset();
    }
  });

  it('says that the loss held after 300 ms, not sooner', async (context) => {
    const bench = await begin(context);
    bench.snapshot = NO_ROUTE;
    await bench.sign();
    await bench.pass(20);
    await bench.pass(299);
    assert.deepEqual(bench.events, ['changed no-route since 1020']);
    await bench.pass(1);
    assert.deepEqual(bench.events, ['changed no-route since 1020', 'held no-route since 1020']);
    await bench.pass(5_000);
    assert.equal(bench.events.length, 2);
  });

  it('a loss that ends within the hold is no loss, even if its end was not announced', async (context) => {
    const bench = await begin(context);
    bench.snapshot = NO_ROUTE;
    await bench.sign();
    await bench.pass(20);
    bench.snapshot = GOOD;
    await bench.pass(1_000);
    assert.deepEqual(bench.events, ['changed no-route since 1020', 'changed ok since 1320']);
  });

  it('a second reason does not start the hold over', async (context) => {
    const bench = await begin(context);
    bench.snapshot = NO_ROUTE;
    await bench.sign();
    await bench.pass(20);
    bench.snapshot = NO_LINK;
    await bench.sign();
    await bench.pass(20);
    await bench.pass(280);
    assert.deepEqual(bench.events, [
      'changed no-route since 1020',
      'changed no-link since 1020',
      'held no-link since 1020',
    ]);
  });

  it('reports another way out, and nothing where nothing changed', async (context) => {
    const bench = await begin(context);
    await bench.sign('an IPv6 route was announced once more');
    await bench.pass(20);
    assert.deepEqual(bench.events, []);
    bench.snapshot = ELSEWHERE;
    await bench.sign();
    await bench.pass(20);
    assert.deepEqual(bench.events, ['changed ok since 0']);
  });

  it('survives a listener that throws', async (context) => {
    const bench = await begin(context);
    bench.throws = true;
    bench.snapshot = NO_LINK;
    await bench.sign();
    await bench.pass(20);
    await bench.pass(300);
    assert.equal(bench.events.length, 2);
    assert.equal(bench.logs.filter((line) => line.startsWith('error')).length, 2);
  });
});

describe('the child that follows', () => {
  it('has announced so much so far, once it has had the time to begin; what it missed counts as an announcement', async (context) => {
    const bench = new Bench(context);
    assert.equal(bench.follower.signs(), undefined);
    await bench.pass(600);
    const before = bench.follower.signs();
    assert.equal(typeof before, 'number');
    await bench.pass(1_000);
    assert.equal(bench.follower.signs(), before, 'nothing was announced');
    await bench.sign();
    assert.notEqual(bench.follower.signs(), before);
    const after = bench.follower.signs();
    bench.child.end(1);
    assert.equal(bench.follower.signs(), undefined);
    await bench.pass(2_000);
    assert.notEqual(bench.follower.signs(), after);
    assert.notEqual(bench.follower.signs(), undefined);
  });

  it('is tied to this thread by setpriv', async (context) => {
    const bench = await begin(context);
    assert.deepEqual(bench.commands, ['setpriv --pdeathsig KILL ip -oneline monitor link address route']);
  });

  it('runs without setpriv where there is none', async (context) => {
    const bench = new Bench(context);
    bench.child.pid = undefined;
    bench.child.emit('error', Object.assign(new Error('spawn setpriv ENOENT'), { code: 'ENOENT' }));
    await settle();
    assert.equal(bench.commands[1], 'ip -oneline monitor link address route');
    assert.deepEqual(bench.logs, []);
  });

  it('is given up, said once, where there is no ip', async (context) => {
    const bench = new Bench(context);
    bench.child.end(127);
    bench.child.pid = undefined;
    bench.child.emit('error', Object.assign(new Error('spawn ip ENOENT'), { code: 'ENOENT' }));
    await bench.leap(1_000_000);
    assert.equal(bench.commands.length, 2);
    assert.equal(bench.logs.length, 1);
    assert.match(bench.logs[0]!, /^warn: No `ip` command here/);
  });

  it('is started again with backoff up to five minutes, and one warning a streak', async (context) => {
    const bench = await begin(context);
    for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]) {
      const count = bench.children.length;
      bench.child.stderr.write('Cannot open netlink socket\n');
      bench.child.end(1);
      await bench.leap(seconds * 1_000 - 1);
      assert.equal(bench.children.length, count);
      await bench.leap(1);
      assert.equal(bench.children.length, count + 1, `after ${seconds} s`);
    }
    assert.equal(bench.logs.filter((line) => line.startsWith('warn')).length, 1);
    // A stable minute starts the streak over.
    await bench.leap(60_000);
    bench.child.end(1);
    await bench.pass(1_000);
    assert.equal(bench.children.length, 13);
    assert.equal(bench.logs.filter((line) => line.startsWith('warn')).length, 2);
  });

  it('has what changed meanwhile looked at when it is back', async (context) => {
    const bench = await begin(context);
    bench.child.end(1);
    bench.snapshot = NO_LINK;
    await bench.pass(1_000);
    await bench.pass(500);
    assert.deepEqual(bench.events, ['changed no-link since 2500']);
  });

  it('ends on stop, and nothing follows', async (context) => {
    const bench = await begin(context);
    bench.snapshot = NO_LINK;
    await bench.sign();
    await bench.follower.stop();
    await bench.leap(10_000);
    assert.deepEqual(bench.child.signals, ['SIGTERM']);
    assert.deepEqual([bench.children.length, bench.events, bench.logs], [1, [], []]);
  });

  it('is killed if it does not end when asked', async (context) => {
    const bench = await begin(context);
    bench.child.deaf = true;
    const stopped = bench.follower.stop();
    await bench.pass(1_000);
    await stopped;
    assert.deepEqual(bench.child.signals, ['SIGTERM', 'SIGKILL']);
  });
});

describe('a look that the system refuses', () => {
  it('is no news of the links; said once, tried again, and what has changed meanwhile is told then', async (context) => {
    const bench = await begin(context);
    bench.snapshot = REFUSED;
    for (let i = 0; i < 3; i += 1) {
      await bench.sign();
      await bench.pass(100);
    }
    await bench.leap(5_000);
    assert.deepEqual(bench.events, []);
    assert.deepEqual(bench.follower.state()?.evidence, { phase: 'link', ok: true });
    assert.deepEqual(
      bench.logs.filter((line) => line.startsWith('warn')),
      [
        'warn: The system refuses a look at the network links (EMFILE, this process has no file handle left), so their changes are noticed at the next check',
      ],
    );
    bench.snapshot = NO_LINK;
    await bench.leap(5_000);
    assert.match(bench.events.join(), /^changed no-link/);
    assert.equal(bench.logs.at(-1), 'info: The network links can be looked at again');
  });

  it('a process that the system refuses is tried again every 15 s, however long it lasts', async (context) => {
    const bench = await begin(context);
    bench.spawnFails = Object.assign(new Error('spawn setpriv EAGAIN'), { code: 'EAGAIN' });
    bench.child.end(1);
    await settle();
    for (let i = 0; i < 40; i += 1) await bench.leap(15_000);
    const tries = bench.commands.length;
    assert.ok(tries >= 40, `${tries}`);
    bench.spawnFails = undefined;
    await bench.leap(15_000);
    assert.equal(bench.children.length, 2);
  });
});
