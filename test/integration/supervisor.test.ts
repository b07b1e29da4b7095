/** The supervisor with a simulated clock, a monitor to be switched, and sessions that do as they are told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../src/main/base/clock.js';
import type { Sendable } from '../../src/main/base/json.js';
import {
  OpenError,
  type GroupMessage,
  type OpenSession,
  type OpenSessionOptions,
  type Session,
} from '../../src/main/connection/session.js';
import { DEFAULT_POLICY } from '../../src/main/connection/state.js';
import {
  ConnectionSupervisor,
  type ConnectionSupervisorOptions,
  type ConnectivityMonitor,
} from '../../src/main/connection/supervisor.js';
import type { OfflineReason, Verdict } from '../../src/workers/protocol.js';
import { gathered } from '../support/everything-logged.js';

class SimulatedClock implements Clock {
  #nowMs = 5_000;
  readonly timers = new Set<{ readonly atMs: number; readonly fn: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }
  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }
  setTimer(fn: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#nowMs + delayMs, fn };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }
  /** Time passes; promises settle before it, between timers and after it. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const [next] = [...this.timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.timers.delete(next);
      next.fn();
    }
    this.#nowMs = untilMs;
  }
}

/** All microtasks have run. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class SwitchedMonitor implements ConnectivityMonitor {
  status: { verdict: Verdict; reason?: OfflineReason } = { verdict: 'unknown' };
  /** Of each check that was asked for: whether it must be over a new connection. */
  readonly asked: boolean[] = [];
  checkNow: ConnectivityMonitor['checkNow'] = ({ fresh }) => {
    this.asked.push(fresh);
    return Promise.resolve();
  };
  readonly connected = new Set<() => void>();
  readonly disconnected = new Set<() => void>();

  onConnected(listener: () => void): () => void {
    this.connected.add(listener);
    return () => void this.connected.delete(listener);
  }
  onDisconnected(listener: () => void): () => void {
    this.disconnected.add(listener);
    return () => void this.disconnected.delete(listener);
  }
  online(): void {
    this.status = { verdict: 'online' };
    for (const listener of this.connected) listener();
  }
  offline(reason: OfflineReason): void {
    this.status = { verdict: 'offline', reason };
    for (const listener of this.disconnected) listener();
  }
}

/** One attempt, to be decided by the test; its session writes down what is done to it. */
class Attempt {
  readonly calls: string[] = [];
  sending: (data: Sendable, timeoutMs: number) => Promise<{ outcome: 'sent' | 'failed' }> = () =>
    Promise.resolve({ outcome: 'sent' });
  disposing: () => Promise<void> = () => Promise.resolve();
  readonly #settle: { resolve: (session: Session) => void; reject: (error: unknown) => void };

  constructor(
    readonly options: OpenSessionOptions,
    settle: { resolve: (session: Session) => void; reject: (error: unknown) => void },
  ) {
    this.#settle = settle;
    // As promised by `OpenSession`: an abort ends the attempt.
    options.signal.addEventListener('abort', () => settle.reject(new Error('aborted')));
  }
  get aborted(): boolean {
    return this.options.signal.aborted;
  }
  opens(): void {
    this.#settle.resolve(this.session());
  }
  session(): Session {
    return {
      connectionId: 'connection',
      send: (data, timeoutMs) => this.sending(data, timeoutMs),
      answers: () => Promise.resolve(true),
      wayOutChanged: () => void this.calls.push('way out changed'),
      suspend: () => void this.calls.push('suspend'),
      resume: () => void this.calls.push('resume'),
      dispose: () => {
        this.calls.push('dispose');
        return this.disposing();
      },
    };
  }
  fails(error: unknown): void {
    this.#settle.reject(error);
  }
}

interface Line {
  readonly level: string;
  readonly message: string;
}

function setUp(options: Partial<ConnectionSupervisorOptions> = {}) {
  const clock = new SimulatedClock();
  const monitor = new SwitchedMonitor();
  const attempts: Attempt[] = [];
  const lines: Line[] = [];
  const states: string[] = [];
  const announced: number[] = [];
  const write =
    (level: string) =>
    (_fields: object, message: string): void =>
      void lines.push({ level, message });
  const openSession: OpenSession = (of) =>
    new Promise((resolve, reject) => attempts.push(new Attempt(of, { resolve, reject })));
  const supervisor = new ConnectionSupervisor({
    monitor,
    openSession,
    clock,
    random: () => 0,
    group: 'garden',
    log: gathered({ debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }),
    announce: () => announced.push(clock.nowMs()),
    ...options,
  });
  supervisor.onStateChange(({ kind }) => states.push(kind));
  const latest = (): Attempt => attempts.at(-1)!;
  const connect = async (): Promise<Attempt> => {
    monitor.online();
    supervisor.start();
    latest().opens();
    await settle();
    assert.equal(supervisor.state.kind, 'connected');
    return latest();
  };
  return { clock, monitor, attempts, latest, lines, states, announced, supervisor, connect };
}

const operatorLines = (lines: readonly Line[]): string[] =>
  lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level}: ${message}`);

describe('the supervisor', () => {
  it('says and does what an operator expects through an outage', async () => {
    const { clock, monitor, attempts, latest, lines, states, announced, supervisor } = setUp();
    supervisor.start();
    monitor.offline('no-link');
    await clock.pass(10_000);
    monitor.online();
    await clock.pass(2_999);
    assert.equal(attempts.length, 0);
    await clock.pass(1);
    assert.equal(attempts.length, 1);
    latest().opens();
    await clock.pass(20_000);
    monitor.offline('dns-timeout');
    assert.deepEqual(latest().calls, ['suspend']);
    await clock.pass(10_000);
    monitor.online();
    await clock.pass(3_000);
    assert.deepEqual(latest().calls, ['suspend', 'resume']);
    latest().options.onEvent({ kind: 'recovered' });
    monitor.offline('tcp-timeout');
    await clock.pass(60_000);
    assert.deepEqual(attempts[0]!.calls, ['suspend', 'resume', 'suspend', 'dispose']);
    monitor.online();
    await clock.pass(3_000);
    latest().opens();
    await clock.pass(0);
    await supervisor.stop();
    assert.equal(attempts.length, 2);
    assert.equal(announced.length, 2);
    assert.deepEqual(states, [
      'waiting-for-internet',
      'stabilising',
      'connecting',
      'connected',
      'waiting-for-internet',
      'stabilising',
      'recovering',
      'connected',
      'waiting-for-internet',
      'stabilising',
      'connecting',
      'connected',
      'stopped',
    ]);
    assert.deepEqual(operatorLines(lines), [
      'warn: No internet at start (no network link): the cloud connection is not tried',
      'info: The cloud connection will be opened as soon as the internet is there',
      'info: Internet is back: waiting 3 s for it to settle, then connecting',
      'info: Connected to the cloud',
      'warn: Internet lost (name server silent): closed the cloud connection; resuming it when it is back, if the service still keeps it (for 30 s at least)',
      'info: Internet is back: waiting 3 s for it to settle, then resuming the cloud connection',
      'info: Cloud connection resumed after 13 s; no message was lost',
      'warn: Internet lost (test site does not answer): closed the cloud connection; resuming it when it is back, if the service still keeps it (for 30 s at least)',
      'info: The old cloud connection cannot be resumed (the service has forgotten it by now); a new one will be opened, and what was sent to us meanwhile is lost',
      'info: Internet is back: waiting 3 s for it to settle, then connecting',
      'info: Connected to the cloud',
      'info: Cloud connection closed: stopping',
    ]);
  });

  it('backs off, shows it in its state, and asks for checks', async () => {
    const { clock, monitor, attempts, latest, supervisor } = setUp();
    monitor.online();
    supervisor.start();
    latest().fails(new OpenError({ kind: 'failed', message: 'handshake timed out' }));
    await clock.pass(5_000);
    assert.deepEqual(supervisor.state, {
      kind: 'backing-off',
      sinceMs: 1_700_000_005_000,
      group: 'garden',
      attempt: 2,
      nextAttemptAtMs: 1_700_000_020_000,
      lastFailure: { kind: 'failed', message: 'handshake timed out' },
    });
    assert.deepEqual(monitor.asked, [true], 'what is open proves nothing of what can be opened');
    await clock.pass(10_000);
    latest().fails('not even an error');
    await clock.pass(29_999);
    assert.equal(attempts.length, 2);
    await clock.pass(1);
    latest().fails(new OpenError({ kind: 'refused', status: 401, message: 'Unauthorized' }));
    await clock.pass(59_999);
    assert.equal(attempts.length, 3);
    supervisor.retryNow();
    assert.equal(attempts.length, 4);
    await supervisor.stop();
    assert.equal(clock.timers.size, 0);
  });

  it('survives an openSession that throws at once', async () => {
    const { clock, monitor, lines, supervisor } = setUp({
      openSession: () => {
        throw new Error('broken');
      },
    });
    monitor.online();
    supervisor.start();
    await clock.pass(0);
    assert.equal(supervisor.state.kind, 'backing-off');
    assert.match(operatorLines(lines).join(), /attempt 1 failed \(broken\)/);
  });

  it('survives an openSession that never ends: abandoned, tried again, and stop does not wait for it for ever', async () => {
    let calls = 0;
    const { clock, monitor, lines, supervisor } = setUp({
      openSession: () => {
        calls += 1;
        return new Promise(() => undefined);
      },
    });
    monitor.online();
    supervisor.start();
    await clock.pass(45_000 + 15_000);
    assert.equal(calls, 2);
    let stopped = false;
    void supervisor.stop().then(() => (stopped = true));
    await clock.pass(2_999);
    assert.equal(stopped, false);
    await clock.pass(1);
    assert.equal(stopped, true);
    assert.equal(clock.timers.size, 0);
    assert.match(operatorLines(lines).at(-1)!, /^warn: The cloud connection did not close in time/);
  });

  it('disposes of a session that opens after its attempt was abandoned, even after stop', async () => {
    const late: ((session: Session) => void)[] = [];
    const { clock, monitor, supervisor, announced } = setUp({
      openSession: () => new Promise((resolve) => late.push(resolve)),
    });
    monitor.online();
    supervisor.start();
    monitor.offline('no-route');
    const disposed: number[] = [];
    const session = (id: number): Session => ({
      connectionId: String(id),
      send: () => Promise.resolve({ outcome: 'sent' }),
      answers: () => Promise.resolve(true),
      wayOutChanged: () => undefined,
      suspend: () => undefined,
      resume: () => undefined,
      dispose: () => Promise.resolve(void disposed.push(id)),
    });
    late[0]!(session(1));
    await clock.pass(0);
    assert.deepEqual(disposed, [1]);
    monitor.online();
    await clock.pass(3_000);
    const stopping = supervisor.stop();
    late[1]!(session(2));
    await stopping;
    assert.deepEqual(disposed, [1, 2]);
    assert.equal(announced.length, 0);
  });

  it('waits in stop until the session is gone, and works again afterwards', async () => {
    const { clock, monitor, supervisor, connect, latest, attempts } = setUp();
    const first = await connect();
    let gone = (): void => undefined;
    first.disposing = () => new Promise((resolve) => (gone = resolve));
    let stopped = false;
    const stopping = supervisor.stop().then(() => (stopped = true));
    await clock.pass(1_000);
    assert.equal(stopped, false);
    gone();
    await stopping;
    assert.equal(monitor.connected.size + monitor.disconnected.size + clock.timers.size, 0);
    supervisor.start();
    assert.equal(attempts.length, 2);
    latest().opens();
    await clock.pass(0);
    assert.equal(supervisor.state.kind, 'connected');
  });

  it('can be stopped by a listener', async () => {
    const { monitor, supervisor, latest, clock } = setUp();
    let stopping: Promise<void> | undefined;
    supervisor.onJoined(() => {
      stopping = supervisor.stop();
    });
    monitor.online();
    supervisor.start();
    latest().opens();
    await clock.pass(0);
    await stopping;
    assert.equal(supervisor.state.kind, 'stopped');
    assert.deepEqual(latest().calls, ['dispose']);
    assert.equal(clock.timers.size, 0);
  });

  it('lets no listener, announcement, check or session hurt the others', async () => {
    const seen: string[] = [];
    const { monitor, supervisor, lines, latest, clock } = setUp({
      announce: () => Promise.reject(new Error('announcement')),
      onMessage: () => {
        throw new Error('message listener');
      },
    });
    monitor.checkNow = () => Promise.reject(new Error('check'));
    supervisor.onStateChange(() => {
      throw new Error('state listener');
    });
    supervisor.onStateChange(({ kind }) => seen.push(kind));
    supervisor.onJoined(() => Promise.reject(new Error('join listener')));
    supervisor.onJoined(({ recovered }) => seen.push(`joined, recovered ${recovered}`));
    const remove = supervisor.onMessage(({ data }) => seen.push(String(data)));
    monitor.online();
    supervisor.start();
    const attempt = latest();
    attempt.disposing = () => Promise.reject(new Error('dispose'));
    attempt.opens();
    await clock.pass(0);
    const message: GroupMessage = { group: 'garden', dataType: 'text', data: 'hello' };
    attempt.options.onEvent({ kind: 'message', message });
    remove();
    attempt.options.onEvent({ kind: 'message', message });
    attempt.options.onEvent({ kind: 'interrupted', message: 'closed (1006)', cause: { kind: 'broken' } });
    attempt.options.onEvent({ kind: 'recovered' });
    attempt.options.onEvent({ kind: 'ended', message: 'closed (1008)', cause: { kind: 'service', code: 1008 } });
    await clock.pass(0);
    assert.deepEqual(seen, [
      'connecting',
      'connected',
      'joined, recovered false',
      'hello',
      'recovering',
      'connected',
      'joined, recovered true',
      'backing-off',
    ]);
    const errors = lines.filter(({ level }) => level === 'error').map(({ message: text }) => text);
    assert.deepEqual(errors.sort(), [
      'Could not announce the connection: announcement',
      ...Array<string>(2).fill('Could not run a join listener: join listener'),
      ...Array<string>(2).fill('Could not run a message listener: message listener'),
      ...Array<string>(5).fill('Could not run a state listener: state listener'),
    ]);
  });

  it('hears what a session reports before its attempt is seen to succeed', async () => {
    const seen: unknown[] = [];
    const { monitor, supervisor, latest, clock } = setUp({ onMessage: ({ data }) => seen.push(data) });
    monitor.online();
    supervisor.start();
    latest().opens();
    latest().options.onEvent({ kind: 'message', message: { group: 'garden', dataType: 'json', data: 1, text: '1' } });
    latest().options.onEvent({ kind: 'interrupted', message: 'closed', cause: { kind: 'silent' } });
    assert.deepEqual(seen, []);
    await clock.pass(0);
    assert.deepEqual(seen, [1]);
    assert.equal(supervisor.state.kind, 'recovering');
  });

  it('hears nothing more of a session that was given up', async () => {
    const seen: unknown[] = [];
    const { supervisor, connect, clock } = setUp({ onMessage: ({ data }) => seen.push(data) });
    const attempt = await connect();
    await supervisor.stop();
    assert.equal(attempt.aborted, true);
    attempt.options.onEvent({ kind: 'message', message: { group: 'garden', dataType: 'json', data: 1, text: '1' } });
    attempt.options.onEvent({ kind: 'recovered' });
    await clock.pass(0);
    assert.deepEqual([seen, supervisor.state.kind], [[], 'stopped']);
  });

  it('looks at the verdict again before time opens a socket', async () => {
    const { monitor, supervisor, clock, attempts } = setUp();
    monitor.offline('no-link');
    supervisor.start();
    monitor.online();
    // The event of this loss never comes.
    monitor.status = { verdict: 'offline', reason: 'no-link' };
    await clock.pass(60_000);
    assert.equal(attempts.length, 0);
    assert.equal(supervisor.state.kind, 'waiting-for-internet');
  });

  it('takes new timings while running', async () => {
    const { monitor, supervisor, clock, attempts } = setUp();
    monitor.offline('no-link');
    supervisor.start();
    supervisor.updatePolicy({ ...DEFAULT_POLICY, stabilizationMs: 500 });
    monitor.online();
    await clock.pass(499);
    assert.equal(attempts.length, 0);
    await clock.pass(1);
    assert.equal(attempts.length, 1);
  });
});

describe('send', () => {
  it('looks first, and says what happened', async () => {
    const { monitor, supervisor, connect, clock, latest } = setUp();
    assert.equal((await supervisor.send('x')).outcome, 'offline');
    monitor.online();
    assert.equal((await supervisor.send('x')).outcome, 'not-connected');
    const attempt = await connect();
    assert.equal((await supervisor.send('x')).outcome, 'sent');
    attempt.options.onEvent({ kind: 'interrupted', message: 'closed', cause: { kind: 'silent' } });
    assert.equal((await supervisor.send('x')).outcome, 'not-connected');
    monitor.offline('no-link');
    assert.equal((await supervisor.send('x')).outcome, 'offline');
    assert.equal(latest(), attempt);
    await supervisor.stop();
    assert.equal(clock.timers.size, 0);
  });

  it('waits no longer than it was told, whatever the session does', async () => {
    const { supervisor, connect, clock } = setUp();
    const attempt = await connect();
    const told: number[] = [];
    attempt.sending = (_, timeoutMs) => {
      told.push(timeoutMs);
      return new Promise(() => undefined);
    };
    const outcomes: string[] = [];
    for (const timeoutMs of [undefined, 2_000, NaN, Infinity]) {
      const sent = supervisor.send('x', timeoutMs === undefined ? {} : { timeoutMs });
      void sent.then(({ outcome, message }) => outcomes.push(`${outcome}: ${message}`));
    }
    await clock.pass(700_000);
    assert.deepEqual(told, [10_000, 2_000, 1, 600_000]);
    assert.deepEqual(
      outcomes,
      [1, 2_000, 10_000, 600_000].map((ms) => `failed: not acknowledged within ${ms} ms`),
    );
    attempt.sending = () => {
      throw new Error('broken');
    };
    assert.deepEqual(await supervisor.send('x'), { outcome: 'failed', message: 'broken' });
    attempt.sending = () => Promise.reject(new Error('rejected'));
    assert.deepEqual(await supervisor.send('x'), { outcome: 'failed', message: 'rejected' });
    assert.equal(clock.timers.size, 0);
  });

  it('bounds what is in flight, and answers it at once when the session is given up', async () => {
    const { supervisor, connect, clock } = setUp({ maxInFlight: 2 });
    const attempt = await connect();
    attempt.sending = () => new Promise(() => undefined);
    const first = [supervisor.send(1), supervisor.send(2)];
    const third = await supervisor.send(3);
    assert.deepEqual(third, { outcome: 'failed', message: '2 messages already wait for their acknowledgement' });
    attempt.options.onEvent({ kind: 'ended', message: 'closed (1008)', cause: { kind: 'service', code: 1008 } });
    for (const result of await Promise.all(first)) assert.equal(result.outcome, 'failed');
    await supervisor.stop();
    assert.equal(clock.timers.size, 0);
  });

  it('says in the line of the return how many messages were given up', async () => {
    const { supervisor, connect, clock, lines } = setUp();
    const attempt = await connect();
    attempt.sending = () => new Promise(() => undefined);
    const sends = [supervisor.send(1, { timeoutMs: 2_000 }), supervisor.send(2, { timeoutMs: 2_000 })];
    attempt.options.onEvent({ kind: 'interrupted', message: 'closed', cause: { kind: 'silent' } });
    await clock.pass(4_000);
    await Promise.all(sends);
    attempt.options.onEvent({ kind: 'recovered' });
    await clock.pass(0);
    assert.match(operatorLines(lines).join('\n'), /resumed after 4 s; 2 messages of ours were given up unacknowledged/);
    await supervisor.stop();
  });
});
