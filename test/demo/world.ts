/** Everything around the daemon, real sockets on loopback: the cloud, Auth0, browsers, the bus with its components; and the daemon. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { WaitOptions } from '../support/changes.js';
import { CliProcess } from '../support/cli-process.js';
import { ComponentStandIn } from '../support/components.js';
import { FakeAuth0 } from '../support/fake-auth0.js';
import type { GroupClient } from '../support/group-client.js';
import { LocalCloud } from '../support/local-cloud.js';
import { findNatsServer, NatsServer } from '../support/nats-server.js';
import { TcpGate } from '../support/tcp-gate.js';
import { NEVER_GREETED } from '../support/web-pubsub/recovery.js';
import type { Paper } from './paper.js';

/** The local bus and who listens on it. */
export interface BusWorld {
  readonly server: NatsServer;
  readonly core: ComponentStandIn;
  readonly scheduler: ComponentStandIn;
}

/** A message of the device as browsers get it. */
export interface FromDevice {
  readonly subject: string;
  readonly body: unknown;
  readonly source: string;
}

/** Quick, so that everything is seen within a minute; `conf/dunebugger.conf` has what a real installation has. */
const TIMINGS = {
  connectionIntervalSecs: 1,
  connectionTimeoutSecs: 0.5,
  backoffBaseSecs: 1,
  halfOpenTimeoutSecs: 4,
};

export class World {
  readonly cloud: LocalCloud;
  readonly auth0: FakeAuth0;
  /** The device reaches Auth0 through this. */
  readonly auth0Gate: TcpGate;
  readonly browser: GroupClient;
  /** Undefined where nats-server is not installed. */
  readonly bus: BusWorld | undefined;
  /** What no line of the log may show. */
  readonly secrets: readonly string[];
  readonly #paper: Paper;
  readonly #confFile: string;
  readonly #cleanups: (() => Promise<unknown>)[];
  #daemon: CliProcess | undefined;
  #linesSeen = 0;

  private constructor(parts: {
    cloud: LocalCloud;
    auth0: FakeAuth0;
    auth0Gate: TcpGate;
    browser: GroupClient;
    bus: BusWorld | undefined;
    secrets: readonly string[];
    paper: Paper;
    confFile: string;
    cleanups: (() => Promise<unknown>)[];
  }) {
    this.cloud = parts.cloud;
    this.auth0 = parts.auth0;
    this.auth0Gate = parts.auth0Gate;
    this.browser = parts.browser;
    this.bus = parts.bus;
    this.secrets = parts.secrets;
    this.#paper = parts.paper;
    this.#confFile = parts.confFile;
    this.#cleanups = parts.cleanups;
  }

  /** Starts everything but the daemon, and writes its `dunebugger.conf` and `.env` into a temporary directory. */
  static async start(paper: Paper): Promise<World> {
    const cleanups: (() => Promise<unknown>)[] = [];
    try {
      return await World.#build(paper, cleanups);
    } catch (error) {
      await cleanUp(cleanups);
      throw error;
    }
  }

  static async #build(paper: Paper, cleanups: (() => Promise<unknown>)[]): Promise<World> {
    const cloud = await LocalCloud.start({ group: 'dune-demo' });
    // As Microsoft's own emulator does, and what is hardest for a client.
    cloud.pubsub.recoverAs(NEVER_GREETED);
    cleanups.push(() => cloud.stop());
    const login = {
      clientId: `demo-client-${randomBytes(4).toString('hex')}`,
      clientSecret: randomBytes(24).toString('base64url'),
      username: `demo-device-${randomBytes(4).toString('hex')}`,
      password: randomBytes(12).toString('base64url'),
    };
    const identity = await cloud.ca.issue({ names: ['localhost', '127.0.0.1'] });
    const auth0 = await FakeAuth0.start({ ...identity, ...login, wssUrl: () => cloud.clientAccessUrl() });
    cleanups.push(() => auth0.close());
    const auth0Port = Number(auth0.authUrl.split(':').at(-1));
    const auth0Gate = await TcpGate.start({ upstream: { address: '127.0.0.1', port: auth0Port } });
    cleanups.push(() => auth0Gate.stop());
    const bus = findNatsServer() === undefined ? undefined : await startBus(cleanups);
    const browser = await cloud.joinAsBrowser();

    const confFile = path.join(cloud.directory, 'dunebugger.conf');
    const conf = [
      '[Auth]',
      `authURL = localhost:${auth0Gate.port}`,
      '[Websocket]',
      'websocketEnabled = True',
      `testDomain = ${cloud.siteName}:${cloud.site.port}`,
      `nameServers = ${cloud.names.hostAndPort}`,
      ...Object.entries(TIMINGS).map(([key, value]) => `${key} = ${value}`),
      '[MessageQueue]',
      bus === undefined ? 'mQueueEnabled = False' : `mQueueServers = ${bus.server.url}`,
      '[Log]',
      'dunebuggerLogLevel = INFO',
      'logFormat = terminal',
    ];
    await writeFile(confFile, `${conf.join('\n')}\n`);
    const dotEnv = {
      AUTH0_CLIENT_ID: login.clientId,
      AUTH0_CLIENT_SECRET: login.clientSecret,
      AUTH0_USERNAME: login.username,
      AUTH0_PASSWORD: login.password,
      WS_GROUP_NAME: cloud.group,
      DEVICE_ID: 'demo',
      LOCATION_DESCRIPTION: 'On this machine',
    };
    const lines = Object.entries(dotEnv).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(path.join(cloud.directory, '.env'), lines.join(''), { mode: 0o600 });

    const world = new World({
      cloud,
      auth0,
      auth0Gate,
      browser,
      bus,
      secrets: [...Object.values(login), 'access_token=ey'],
      paper,
      confFile,
      cleanups,
    });
    browser.onMessage(({ data }) => {
      const { subject, body } = data as FromDevice;
      paper.event('browser gets', `${subject} ${glance(body)}`);
    });
    bus?.core.onCommand(({ subject, body }) => paper.event('core gets', `${subject} ${glance(body)}`));
    return world;
  }

  /** The daemon, once it has been started. */
  get daemon(): CliProcess {
    if (this.#daemon === undefined) throw new Error('the daemon has not been started');
    return this.#daemon;
  }

  startDaemon(): void {
    const daemon = CliProcess.start({
      args: ['run', '--config', this.#confFile],
      env: { NODE_EXTRA_CA_CERTS: this.cloud.caFile },
      cwd: this.cloud.directory,
      onLine: (line) => this.#paper.daemon(line),
    });
    this.#daemon = daemon;
    this.#cleanups.push(() => daemon.kill());
  }

  /** The next line of the daemon that fits, after the last one that was waited for; it may be there already. */
  async nextLine(fits: RegExp, options: WaitOptions): Promise<string> {
    const line = await this.daemon.waitForLine(fits, { ...options, since: this.#linesSeen });
    this.#linesSeen = this.daemon.lines.indexOf(line, this.#linesSeen) + 1;
    return line;
  }

  /** True if such a line has come after the last one that was waited for. */
  saidSinceSeen(fits: RegExp): boolean {
    return this.daemon.lines.slice(this.#linesSeen).some((line) => fits.test(line));
  }

  /** Waits until the daemon has begun that many further checks of the internet; returns how many. */
  async moreChecks(count: number, options: WaitOptions): Promise<number> {
    const { names, siteName } = this.cloud;
    // Each check asks for the name anew.
    const begun = (): number => names.countQueries(siteName, 'A');
    const before = begun();
    while (begun() < before + count) await names.waitForQueries(names.queries.length + 1, options);
    return begun() - before;
  }

  /** Connections the daemon has opened so far, to the cloud and to Auth0. */
  get connectionsOpened(): number {
    return this.cloud.gate.accepted + this.auth0Gate.accepted;
  }

  /** The device's internet goes away, Auth0 included. */
  async breakInternet(how: 'silent' | 'refused' | 'portal'): Promise<void> {
    await this.cloud.breakInternet(how);
    await this.auth0Gate.behave({ kind: how === 'silent' ? 'black-hole' : 'refuse' });
  }

  async repairInternet(): Promise<void> {
    await this.auth0Gate.behave({ kind: 'open' });
    await this.cloud.repairInternet();
  }

  /** A browser sends to the group. */
  async browserSends(subject: string, body: unknown): Promise<void> {
    this.#paper.event('browser sends', `${subject} ${glance(body)}`);
    await this.browser.send({ subject, body, connectionId: this.browser.connectionId ?? null });
  }

  /** Core publishes on the bus. */
  coreSends(subject: string, body: unknown): void {
    this.#paper.event('core sends', `${subject} ${glance(body)}`);
    this.bus?.core.publish(subject, body);
  }

  /** Waits for a message of the device, from index `since` of what the browser has got. */
  async browserGets(subject: string, fits: (body: unknown) => boolean, since: number): Promise<FromDevice> {
    const { data } = await this.browser.waitForMessage(
      (message) => {
        const from = message.data as FromDevice;
        return from.subject === subject && from.source === 'controller' && fits(from.body);
      },
      { since },
    );
    return data as FromDevice;
  }

  /** Ends everything, the daemon first. Never rejects; again: nothing. */
  async stop(): Promise<void> {
    await cleanUp(this.#cleanups);
  }

  /** Where there is no time to wait: no process may be left. */
  killProcesses(): void {
    if (this.#daemon?.exit === undefined) this.#daemon?.signal('SIGKILL');
    void this.bus?.server.kill();
  }
}

async function startBus(cleanups: (() => Promise<unknown>)[]): Promise<BusWorld> {
  const server = await NatsServer.create();
  cleanups.push(() => server.kill());
  const join = async (name: 'core' | 'scheduler'): Promise<ComponentStandIn> => {
    const component = await ComponentStandIn.start({ server: server.url, name, version: '1.0' });
    cleanups.push(() => component.stop());
    return component;
  };
  return { server, core: await join('core'), scheduler: await join('scheduler') };
}

async function cleanUp(cleanups: (() => Promise<unknown>)[]): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup().catch(() => undefined);
}

/** A body in a few words. */
function glance(body: unknown): string {
  const text = JSON.stringify(body);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
