/** The follower of link changes against the kernel's own links. Needs root. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkEvent } from '../../src/workers/probe/link-follower.js';
import { blackHole, carrierLost, ipv4Only, linkDown, noAddress, noDefaultRoute, type Fault } from './faults.js';
import { Lab } from './lab.js';
import { commandOf } from '../support/process.js';
import { pidsIn } from './netns.js';

/** Far more than the second for which the kernel holds the loss of a carrier back. */
const DEADLINE_MS = 10_000;

/** A process in `pi` that follows its links in a worker thread, as the daemon does. */
const SCRIPT = `
  import { Worker } from 'node:worker_threads';
  const worker = new Worker(new URL(process.argv[1]), { argv: [] });
  worker.on('message', (message) => process.send(message));
  process.on('message', (message) => message === 'terminate' ? worker.terminate() : worker.postMessage(message));
`;
const WORKER = `
  import { parentPort } from 'node:worker_threads';
  const { followLinks } = await import('${new URL('../../src/workers/probe/link-follower.js', import.meta.url).href}');
  const tell = (fields, message) => parentPort.postMessage({ log: message, fields });
  const follower = followLinks({
    onEvent: (event) => parentPort.postMessage({ event }),
    log: { debug: tell, info: tell, warn: tell, error: tell },
  });
  parentPort.on('message', async () => {
    await follower.stop();
    parentPort.close();
  });
`;

interface Message {
  readonly event?: LinkEvent;
  readonly log?: string;
}

class Following {
  readonly process: ChildProcess;
  readonly messages: Message[] = [];
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
    const worker = `data:text/javascript,${encodeURIComponent(WORKER)}`;
    this.process = lab.exec('pi', process.execPath, ['--input-type=module', '-e', SCRIPT, worker], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process.on('message', (message: Message) => this.messages.push(message));
  }

  /** Waits for an event that fits, from an index on. */
  async until(fits: (event: LinkEvent) => boolean, since: number): Promise<LinkEvent> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const found = this.messages.slice(since).find(({ event }) => event !== undefined && fits(event));
      if (found?.event) return found.event;
      await once(this.process, 'message', { signal: deadline });
    }
  }

  /** The process of `ip`, once it is there. */
  async monitorPid(): Promise<number> {
    const deadlineMs = performance.now() + DEADLINE_MS;
    while (performance.now() < deadlineMs) {
      for (const pid of pidsIn(this.#lab.namespace('pi'))) {
        if (commandOf(pid).startsWith('ip -oneline monitor')) return pid;
      }
      await sleep(20);
    }
    throw new Error('no ip monitor was started');
  }
}

describe('link changes in the lab', () => {
  let lab: Lab;
  let following: Following;
  before(async () => {
    lab = await Lab.create();
    following = new Following(lab);
    await following.monitorPid();
    // `ip` says nowhere that it listens; the follower looks once more half a second after its start.
    await sleep(700);
  });
  after(() => lab.destroy());

  const cases: readonly (readonly [Fault, string, RegExp])[] = [
    [linkDown, 'no-link', /^pi0 is down$/],
    [carrierLost, 'no-link', /^pi0 has no carrier$/],
    [noAddress, 'no-route', /^pi0 has no address$/],
    [noDefaultRoute, 'no-route', /^pi0 has the address 10\.77\.1\.2, but no default route$/],
  ];
  for (const [fault, reason, detail] of cases) {
    it(`${fault.name} is told, held, and its end is told`, async () => {
      const since = following.messages.length;
      await fault.apply(lab);
      try {
        await following.until(({ kind, state }) => kind === 'changed' && !state.evidence.ok, since);
        const held = await following.until(({ kind }) => kind === 'held', since);
        assert.equal(held.state.evidence.reason, reason);
        assert.match(held.state.evidence.detail ?? '', detail);
      } finally {
        await fault.repair(lab);
      }
      await following.until(({ kind, state }) => kind === 'changed' && state.evidence.ok, since);
    });
  }

  it('a network that loses one family still has a way out', async () => {
    const since = following.messages.length;
    await ipv4Only.apply(lab);
    const { state } = await following.until(() => true, since);
    const repaired = following.messages.length;
    await ipv4Only.repair(lab);
    assert.equal(state.evidence.ok, true);
    await following.until(() => true, repaired);
  });

  it('what goes on behind the router, and an interface of no importance, cause nothing', async () => {
    await sleep(300);
    const since = following.messages.length;
    await blackHole.apply(lab);
    await lab.ip('pi', 'link add veth9 type veth peer name veth8', 'link set veth9 up', 'link set veth8 up');
    await sleep(300);
    await lab.ip('pi', 'link del veth9');
    await blackHole.repair(lab);
    await sleep(300);
    assert.deepEqual(following.messages.slice(since), []);
  });

  it('a child that is killed is started again', async () => {
    const pid = await following.monitorPid();
    process.kill(pid, 'SIGKILL');
    await gone(pid);
    assert.notEqual(await following.monitorPid(), pid);
    assert.ok(following.messages.some(({ log }) => log?.includes('`ip monitor` ended')));
  });

  it('the child dies with the thread that is terminated', async () => {
    const pid = await following.monitorPid();
    following.process.send('terminate');
    await gone(pid);
  });

  it('the child dies with a process that is killed', async () => {
    const other = new Following(lab);
    const pid = await other.monitorPid();
    other.process.kill('SIGKILL');
    await gone(pid);
  });

  it('after stop the process ends by itself', async () => {
    const other = new Following(lab);
    const pid = await other.monitorPid();
    other.process.send('stop');
    // Only its channel to this test keeps it, now.
    await gone(pid);
    const exited = once(other.process, 'exit', { signal: AbortSignal.timeout(DEADLINE_MS) });
    other.process.disconnect();
    await exited;
  });
});

/** Waits until a process is dead; one that waits for its parent to notice has no command line any more. */
async function gone(pid: number): Promise<void> {
  const deadlineMs = performance.now() + DEADLINE_MS;
  while (commandOf(pid) !== '') {
    assert.ok(performance.now() < deadlineMs, `process ${pid} still runs`);
    await sleep(10);
  }
}
