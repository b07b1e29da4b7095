/**
 * The daemon as a process, while the system refuses it what it asks for: (call, errno, how often). It lives, says so once, makes no verdict of
 * it, and is whole again within 30 s of the end. The rows of a suite run one after another, the suites side by side.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliProcess } from '../support/cli-process.js';
import type { FrontEnd } from '../support/front-end.js';
import { Installation } from '../support/installation.js';
import { LocalCloud } from '../support/local-cloud.js';
import { findNatsServer } from '../support/nats-server.js';
import { cannotRefuse, Refusals, type Errno, type HowRefused, type RefusedCall } from '../support/refusals.js';
import { until } from '../support/until.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : cannotRefuse();
const HEALED = { timeoutMs: 30_000 };
/** How long what was gathered of the machine serves further questions, and a little. */
const SYSTEM_INFO_KEPT_MS = 3_100;
const MONITOR_CHILD = fileURLToPath(new URL('./refused-thread-child.js', import.meta.url));
interface SystemInfoBody {
  readonly system_info?: { readonly os: { readonly kernel: unknown } };
}
/** Enough for any verdict: two failures in a row make one. */
const CHECKS = 3;

/** The site is reached by name over a connection that does not last, so that each check needs sockets. */
class Bench {
  readonly refusals: Refusals;
  readonly site: Installation;
  readonly page: FrontEnd;
  readonly daemon: CliProcess;
  #marks = 0;

  private constructor(refusals: Refusals, site: Installation, page: FrontEnd, daemon: CliProcess) {
    this.refusals = refusals;
    this.site = site;
    this.page = page;
    this.daemon = daemon;
  }

  static async start(): Promise<Bench> {
    const refusals = new Refusals();
    const site = await Installation.create({
      env: ({ site: { port }, names, siteName }) => ({
        ...refusals.environment,
        DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: `${siteName}:${port}`,
        DUNEBUGGER_WEBSOCKET_NAME_SERVERS: names.hostAndPort,
        DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'DEBUG',
      }),
    });
    const page = await site.openPage({ asksForStates: false });
    const daemon = await site.startConnected();
    await page.waitFor('system_info', undefined, HEALED);
    return new Bench(refusals, site, page, daemon);
  }

  /** Messages of the log since line `since` that fit. */
  said(fits: RegExp, since: number, levels = /./): readonly string[] {
    return this.site
      .log()
      .slice(since)
      .filter(({ msg, level }) => fits.test(msg) && levels.test(level))
      .map(({ msg }) => msg);
  }

  async checks(count: number, since: number): Promise<void> {
    await until(() => this.said(/^Internet check (passed|failed)/, since).length >= count, `${count} checks`, 60_000);
  }

  /** A message of each way gets through. */
  async works(): Promise<void> {
    this.#marks += 1;
    const mark = `mark ${this.#marks}`;
    await this.page.send('scheduler.update_schedule', mark);
    await this.site.scheduler.waitForCommand(({ body }) => body === mark, HEALED);
    this.site.scheduler.publish('next_actions', mark);
    await this.page.waitFor('next_actions', (body) => body === mark, HEALED);
  }

  /** What must not be said because of a refusal. */
  assertNoVerdict(since: number): void {
    assert.deepEqual(this.said(/^(Offline|Internet lost|Still offline)/, since), []);
    assert.deepEqual(this.said(/worker thread of the internet checks failed|nobody caught|Not healthy/, since), []);
    assert.equal(this.daemon.exit, undefined);
  }

  async stop(): Promise<void> {
    await this.site.stop();
    this.refusals.remove();
  }
}

interface Row {
  readonly refuse: readonly (readonly [RefusedCall, Errno, HowRefused?])[];
  /** Said once, and its end. Undefined: nothing is lost, and nothing is said. */
  readonly said?: readonly [RegExp, RegExp];
}

const CHECKS_REFUSED = [
  /^The system refuses what the internet checks need/,
  /^The internet checks can be made again/,
] as const;

describe('the system refuses', { skip, concurrency: true }, () => {
  const suites: readonly (readonly Row[])[] = [
    [
      { refuse: [['socket', 'EMFILE']], said: CHECKS_REFUSED },
      { refuse: [['socket', 'EAFNOSUPPORT']], said: CHECKS_REFUSED },
      { refuse: [['connect', 'ENOBUFS']], said: CHECKS_REFUSED },
    ],
    [
      { refuse: [['socket', 'ENFILE']], said: CHECKS_REFUSED },
      { refuse: [['connect', 'EPERM']], said: CHECKS_REFUSED },
      { refuse: [['socket', 'ENOMEM', { times: 1 }]] },
    ],
    [
      { refuse: [['connect', 'EAGAIN']], said: CHECKS_REFUSED },
      {
        refuse: [
          ['getifaddrs', 'EAFNOSUPPORT'],
          ['open-kernel', 'EACCES'],
          ['open-file', 'EMFILE'],
        ],
      },
      { refuse: [['getifaddrs', 'EMFILE', { every: 2 }]] },
    ],
  ];
  for (const [index, rows] of suites.entries()) {
    it(`what the checks need (${index + 1}): no verdict comes of it, the connection is left alone`, async (context) => {
      const bench = await Bench.start();
      context.after(() => bench.stop());
      for (const row of rows) await context.test(nameOf(row), () => checksAreRefused(bench, row));
    });
  }

  it('what the cloud connection needs, and files, while the service forgets us', async (context) => {
    const bench = await Bench.start();
    context.after(() => bench.stop());
    const { refusals, site, page, daemon } = bench;
    const since = daemon.lines.length;
    const all = ['socket', 'pipe', 'open-file', 'open-kernel', 'getifaddrs'] as const;
    for (const call of all) refusals.refuse(call, 'EMFILE');
    site.cloud.pubsub.close(1008, 'forgotten', { userId: 'device' });
    const told = /^The system refuses what the cloud connection needs/;
    await until(() => bench.said(told, since).length >= 3, 'attempts are refused', 60_000);
    await bench.checks(CHECKS, since);
    assert.equal(bench.said(told, since, /^warn$/).length, 1);
    assert.deepEqual(bench.said(/^Cloud connection attempt \d+ failed/, since), []);
    daemon.signal('SIGHUP');
    await daemon.waitForLine(/Not reloaded: everything goes on/, { since });
    for (const call of all) refusals.allow(call);
    await site.joined();
    await page.until(() => page.connectionId !== undefined && page.online, 'the device to be shown online', HEALED);
    bench.assertNoVerdict(since);
    await bench.works();
    await site.reload('connectionIntervalSecs', '1');
  });

  it('what system_info and the log need: the message comes, with what can be had; lines come again', async (context) => {
    const bench = await Bench.start();
    context.after(() => bench.stop());
    const { refusals, site, page, daemon } = bench;
    const since = daemon.lines.length;
    const modelOf = (body: unknown): unknown => (body as SystemInfoBody).system_info?.os.kernel;
    const ask = async (fits: (body: unknown) => boolean): Promise<void> => {
      const seen = page.seen.length;
      await page.send('controller.system_info', '');
      await page.waitFor('system_info', fits, { ...HEALED, since: seen });
    };
    const all = ['open-kernel', 'open-file', 'pipe', 'getifaddrs'] as const;
    for (const call of all) refusals.refuse(call, 'EMFILE');
    refusals.refuse('fork', 'EAGAIN');
    await new Promise((resolve) => setTimeout(resolve, SYSTEM_INFO_KEPT_MS));
    await ask((body) => modelOf(body) === null);
    for (const call of [...all, 'fork'] as const) refusals.allow(call);
    await new Promise((resolve) => setTimeout(resolve, SYSTEM_INFO_KEPT_MS));
    await ask((body) => typeof modelOf(body) === 'string');

    refusals.refuse('write-stdout', 'ENOSPC');
    site.cloud.pubsub.drop({ userId: 'device' });
    await until(() => refusals.failed('write-stdout') >= 3, 'lines are refused', 30_000);
    refusals.allow('write-stdout');
    const told = daemon.lines.length;
    await bench.works();
    await daemon.waitForLine(/lines of the log are lost/, { ...HEALED, since: told });
    bench.assertNoVerdict(since);
  });

  it('a thread for the checks, when theirs has died: said once, the verdict stands, and it is there again', async (context) => {
    const refusals = new Refusals();
    const cloud = await LocalCloud.start();
    const child = CliProcess.start({
      program: MONITOR_CHILD,
      args: [cloud.testDomain],
      env: { ...refusals.environment, ...cloud.environment() },
    });
    context.after(async () => {
      await child.kill();
      await cloud.stop();
      refusals.remove();
    });
    await child.waitForLine(/^online$/, { timeoutMs: 30_000 });
    refusals.refuse('thread', 'EAGAIN');
    child.signal('SIGUSR2');
    await until(() => refusals.failed('thread') >= 5, 'threads are refused', 30_000);
    refusals.allow('thread');
    const since = child.lines.length;
    await child.waitForLine(/^checked online, well$/, { ...HEALED, since });
    child.signal('SIGTERM');
    assert.deepEqual(await child.waitForExit(HEALED), { code: 0, signal: null }, child.stderr);
    const said = child.lines.filter((line) => line.startsWith('warn: The system refuses the thread'));
    assert.equal(said.length, 1, child.stdout);
    assert.ok(!child.stdout.includes('error:') && !child.stdout.includes('offline'), child.stdout);
  });
});

async function checksAreRefused(bench: Bench, { refuse, said }: Row): Promise<void> {
  const { refusals, site, daemon } = bench;
  const { upgrades } = site.cloud.pubsub.counts;
  const since = daemon.lines.length;
  for (const row of refuse) refusals.refuse(...row);
  site.cloud.site.dropConnections();
  await bench.checks(CHECKS, since);
  for (const [call] of refuse) refusals.allow(call);
  const ended = daemon.lines.length;
  if (said !== undefined) {
    assert.equal(bench.said(said[0], since, /^warn$/).length, 1, daemon.lines.slice(since).join('\n'));
    await daemon.waitForLine(new RegExp(said[1].source.slice(1)), { ...HEALED, since: ended });
  } else await bench.checks(1, ended);
  const told = bench.said(/system refuse/, since, /^(warn|error)$/);
  const inWords = daemon.lines.slice(since).join('\n');
  assert.equal(new Set(told).size, told.length, `said twice: ${inWords}`);
  // The clock is asked about on its own: where that falls into the same time, it is refused and told, too. Anybody else's line is one too many.
  const others = told.filter((msg) => !/questions about the clock/.test(msg));
  assert.equal(others.length, said === undefined ? 0 : 1, inWords);
  bench.assertNoVerdict(since);
  await bench.works();
  assert.equal(site.cloud.pubsub.counts.upgrades, upgrades, 'the connection was not touched');
}

function nameOf({ refuse }: Row): string {
  return refuse
    .map(([call, errno, how]) => `${call} ${errno}${how === undefined ? '' : ` ${JSON.stringify(how)}`}`)
    .join(', ');
}
