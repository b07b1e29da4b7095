/**
 * How many messages the daemon carries, and what it adds to the time each takes: `npm run bench:messages [-- COUNT]`.
 *
 * Everything is on this machine: the cloud, the page and the components in this process, the daemon and the nats-server in theirs. So the
 * numbers compare versions and machines; they are not those of an installation, whose latency is its line's. Prints a table and, as the last
 * line, the same as JSON.
 */
import { connect } from '@nats-io/transport-node';
import { FrontEnd } from '../support/front-end.js';
import { GROUP, Installation } from '../support/installation.js';
import { percentile, table } from './numbers.js';

/** Messages for the throughput, each way; latency takes a fifth of it. */
const COUNT = Number(process.argv[2] ?? 10_000);
/** Messages on their way at the same time while the throughput is measured. */
const WINDOW = 500;
/** Time from one message to the next while latency is measured, milliseconds: far from any queue. */
const SPACING_MS = 2;

/** Messages a second, with {@link WINDOW} of them on their way. */
async function throughput(count: number, { send, arrived }: Path): Promise<number> {
  arrived.clear();
  const startedAt = performance.now();
  for (let i = 0; i < count; i += 1) {
    send();
    if (i % 50 === 49) await arrived.reach(Math.max(0, i - WINDOW));
  }
  await arrived.reach(count);
  return count / ((performance.now() - startedAt) / 1_000);
}

/** Milliseconds from sending one message to its arrival. */
async function latency({ send, arrived }: Path): Promise<number> {
  arrived.clear();
  const sentAt = performance.now();
  send();
  await arrived.reach(1);
  return arrived.lastAt - sentAt;
}

/** Counts what arrives, and wakes who waits for a number of them. */
class Arrivals {
  lastAt = 0;
  #count = 0;
  #wanted = Infinity;
  #wake: () => void = () => undefined;

  constructor(private readonly name: string) {}

  arrive(): void {
    this.#count += 1;
    this.lastAt = performance.now();
    if (this.#count >= this.#wanted) this.#wake();
  }

  clear(): void {
    this.#count = 0;
  }

  reach(count: number): Promise<void> {
    if (this.#count >= count) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const lost = setTimeout(
        () => reject(new Error(`${this.name}: only ${this.#count} of ${count} messages arrived within 30 s`)),
        30_000,
      );
      this.#wanted = count;
      this.#wake = () => {
        clearTimeout(lost);
        this.#wanted = Infinity;
        resolve();
      };
    });
  }
}

interface Path {
  readonly name: string;
  readonly send: () => void;
  readonly arrived: Arrivals;
}

interface Row {
  readonly path: string;
  readonly perSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Beyond the cloud alone and the bus alone, measured in the same turn; of the paths through the daemon. */
  readonly addedMedianMs?: number;
  readonly addedP99Ms?: number;
}

async function measure(cloud: Path, bus: Path, throughDaemon: readonly Path[]): Promise<readonly Row[]> {
  const paths = [cloud, bus, ...throughDaemon];
  const perSecond = new Map<Path, number>();
  for (const path of paths) {
    // Until the code is compiled and the connections are warm.
    await throughput(Math.min(2_000, COUNT), path);
    perSecond.set(path, await throughput(COUNT, path));
  }
  const took = new Map<Path, number[]>(paths.map((path) => [path, []]));
  const added = new Map<Path, number[]>(throughDaemon.map((path) => [path, []]));
  for (let turn = 0; turn < COUNT / 5; turn += 1) {
    // By turns, so that whatever else the machine does falls on all of them alike.
    const alone = (await timed(cloud)) + (await timed(bus));
    for (const path of throughDaemon) added.get(path)?.push((await timed(path)) - alone);
  }

  async function timed(path: Path): Promise<number> {
    const ms = await latency(path);
    took.get(path)?.push(ms);
    await new Promise((resolve) => setTimeout(resolve, SPACING_MS));
    return ms;
  }

  return paths.map((path) => {
    const [sorted, more] = [took.get(path) ?? [], added.get(path)].map((list) => list?.toSorted((a, b) => a - b));
    return {
      path: path.name,
      perSecond: perSecond.get(path) ?? Number.NaN,
      medianMs: percentile(sorted ?? [], 50),
      p99Ms: percentile(sorted ?? [], 99),
      ...(more === undefined ? {} : { addedMedianMs: percentile(more, 50), addedP99Ms: percentile(more, 99) }),
    };
  });
}

async function main(): Promise<void> {
  const site = await Installation.create({
    // Clients acknowledge once a second; a late one must not cost its session here.
    cloud: { pubsub: { maxUnacknowledged: 1_000_000 } },
    env: {
      DUNEBUGGER_WEBSOCKET_RATE_LIMIT_PER_SEC: '100000',
      DUNEBUGGER_WEBSOCKET_RATE_LIMIT_BURST: '100000',
      DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'WARNING',
    },
  });
  try {
    const page = await site.openPage({ asksForStates: false });
    await site.startConnected();
    await page.waitFor('system_info');

    // The same two ways without the daemon: a member of the group that comes through the same gate, and a client of the bus.
    const neighbour = await FrontEnd.open({
      url: site.cloud.clientAccessUrl({ userId: 'neighbour' }),
      group: GROUP,
      ca: site.cloud.ca.certificatePem,
      asksForStates: false,
    });
    const spy = await connect({ servers: site.nats.url });

    const atCore = new Arrivals('core');
    const atPage = new Arrivals('the page');
    const atNeighbour = new Arrivals('the neighbour');
    const onBus = new Arrivals('the bus');
    site.core.onCommand(() => atCore.arrive());
    page.onSeen(({ subject }) => {
      if (subject === 'gpio_state') atPage.arrive();
    });
    neighbour.onOther(() => atNeighbour.arrive());
    spy.subscribe('bench.*', { callback: () => onBus.arrive() });
    await spy.flush();

    const failed = (error: unknown): void => {
      process.stderr.write(`A message was not taken: ${String(error)}\n`);
    };
    const body = { state: 'x'.repeat(200) };
    const [inCloud, toCore, onWire] = ['nobody.x', 'core.dunebugger_set', JSON.stringify(body)];
    report(
      await measure(
        { name: 'the cloud alone', send: () => void page.send(inCloud, body).catch(failed), arrived: atNeighbour },
        { name: 'the bus alone', send: () => site.core.publishRaw('bench.x', onWire), arrived: onBus },
        [
          { name: 'page to core', send: () => void page.send(toCore, body).catch(failed), arrived: atCore },
          { name: 'core to page', send: () => site.core.publish('gpio_state', body), arrived: atPage },
        ],
      ),
    );
    await neighbour.stop();
    await spy.close();
  } catch (error) {
    // What the daemon complained of says why.
    process.stderr.write(`${site.daemon.lines.slice(0, 20).join('\n')}\n`);
    throw error;
  } finally {
    await site.stop();
  }
}

function report(rows: readonly Row[]): void {
  const ms = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2));
  const cells = rows.map((row) => [
    row.path,
    String(Math.round(row.perSecond)),
    ms(row.medianMs),
    ms(row.p99Ms),
    ms(row.addedMedianMs),
    ms(row.addedP99Ms),
  ]);
  const heads = ['path', 'messages/s', 'median ms', '99th ms', 'added median ms', 'added 99th ms'];
  process.stdout.write(`${table(heads, cells)}\n`);
  process.stdout.write(
    `${COUNT} messages for the throughput, ${Math.ceil(COUNT / 5)} one by one for the latency. Added: beyond the cloud and the bus alone, in the same turn.\n`,
  );
  process.stdout.write(`${JSON.stringify({ bench: 'messages', node: process.version, count: COUNT, rows })}\n`);
}

await main();
