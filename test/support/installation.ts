/**
 * A whole installation on loopback: the daemon as a process of its own, Auth0 and the cloud beyond its internet, a real nats-server with
 * core and scheduler, and pages of the front end elsewhere. The daemon has the conf file and the .env of the Python version as they
 * are; what differs here (hosts, shorter times) comes from the environment.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CliProcess } from './cli-process.js';
import { ComponentStandIn } from './components.js';
import { FakeAuth0 } from './fake-auth0.js';
import { FrontEnd, type FrontEndOptions } from './front-end.js';
import { LocalCloud, type LocalCloudOptions, type Outage } from './local-cloud.js';
import { NatsServer } from './nats-server.js';
import { confOf, DECEMBER, dotEnvOf, type Generation } from './python-generations.js';
import { TcpGate } from './tcp-gate.js';

/** What the `.env` of every generation holds. */
export const SECRETS = {
  clientId: '7QpXkV2mZt4R9sLw',
  clientSecret: 'cV3-nT8_pQ6wZ1rK5yB0',
  username: 'velasquez@example.org',
  password: 'Sabbia & dune #42',
} as const;
export const GROUP = 'velasquez';

type Environment = Readonly<Record<string, string>>;

export interface InstallationOptions {
  /** More lines for the nats-server's configuration. */
  readonly natsConf?: string;
  readonly cloud?: LocalCloudOptions;
  /** More settings, over those of {@link QUICK}. */
  readonly env?: Environment | ((cloud: LocalCloud) => Environment);
  readonly nodeArgs?: readonly string[];
  /** Core and scheduler speak the wire of February 2026. */
  readonly newest?: boolean;
  /** Versions in the heartbeats of core and scheduler. */
  readonly versions?: { readonly core?: string; readonly scheduler?: string };
}

/** Times that make an outage short. */
const QUICK = {
  DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '1',
  DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: '1',
  DUNEBUGGER_WEBSOCKET_STABILIZATION_SECS: '0.1',
  DUNEBUGGER_WEBSOCKET_BACKOFF_BASE_SECS: '0.5',
  DUNEBUGGER_WEBSOCKET_BACKOFF_CAP_SECS: '1',
  DUNEBUGGER_WEBSOCKET_HALF_OPEN_TIMEOUT_SECS: '3',
  DUNEBUGGER_LOG_LOG_FORMAT: 'json',
} as const;

/** A line of the daemon's log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export class Installation {
  readonly cloud: LocalCloud;
  readonly auth0: FakeAuth0;
  /** The daemon reaches Auth0 through this. */
  readonly auth0Gate: TcpGate;
  readonly nats: NatsServer;
  readonly core: ComponentStandIn;
  readonly scheduler: ComponentStandIn;
  readonly #options: InstallationOptions;
  readonly #directory: string;
  readonly #pages = new Set<FrontEnd>();
  #daemon: CliProcess | undefined;

  private constructor(
    parts: Pick<Installation, 'cloud' | 'auth0' | 'auth0Gate' | 'nats' | 'core' | 'scheduler'>,
    options: InstallationOptions,
    directory: string,
  ) {
    this.cloud = parts.cloud;
    this.auth0 = parts.auth0;
    this.auth0Gate = parts.auth0Gate;
    this.nats = parts.nats;
    this.core = parts.core;
    this.scheduler = parts.scheduler;
    this.#options = options;
    this.#directory = directory;
  }

  /** Everything but the daemon, which {@link startDaemon} starts. */
  static async create(options: InstallationOptions = {}): Promise<Installation> {
    const cloud = await LocalCloud.start({ group: GROUP, ...options.cloud });
    const auth0 = await FakeAuth0.start({
      ...(await cloud.ca.issue({ names: ['localhost', '127.0.0.1'] })),
      ...SECRETS,
      wssUrl: () => cloud.clientAccessUrl(),
    });
    const [address, port] = auth0.authUrl.split(':');
    const auth0Gate = await TcpGate.start({
      upstream: { address: address === 'localhost' ? '127.0.0.1' : (address ?? ''), port: Number(port) },
    });
    const directory = await mkdtemp(path.join(tmpdir(), 'installation-'));
    const natsConf = path.join(directory, 'nats.conf');
    await writeFile(natsConf, options.natsConf ?? '');
    const nats = await NatsServer.create({ args: ['--config', natsConf] });
    const core = await ComponentStandIn.start({
      server: nats.url,
      name: 'core',
      answersQuestions: true,
      newest: options.newest === true,
      ...(options.versions?.core === undefined ? {} : { version: options.versions.core }),
    });
    const scheduler = await ComponentStandIn.start({
      server: nats.url,
      name: 'scheduler',
      answersQuestions: true,
      newest: options.newest === true,
      ...(options.versions?.scheduler === undefined ? {} : { version: options.versions.scheduler }),
    });
    const installation = new Installation({ cloud, auth0, auth0Gate, nats, core, scheduler }, options, directory);
    await installation.configureAs(DECEMBER);
    return installation;
  }

  /** What a daemon that is started from now on finds as its conf file and its `.env`. Default: {@link DECEMBER}. */
  async configureAs(generation: Generation): Promise<void> {
    await writeFile(path.join(this.#directory, 'dunebugger.conf'), confOf(generation));
    await writeFile(path.join(this.#directory, '.env'), dotEnvOf(generation));
  }

  /** Starts the daemon; resolves as soon as the process runs. */
  startDaemon(): CliProcess {
    const { cloud, auth0Gate, nats } = this;
    const { env = {} } = this.#options;
    const daemon = CliProcess.start({
      args: ['run', '--config', path.join(this.#directory, 'dunebugger.conf')],
      env: {
        ...QUICK,
        NODE_EXTRA_CA_CERTS: cloud.caFile,
        DUNEBUGGER_AUTH_AUTH_URL: auth0Gate.hostAndPort,
        DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: cloud.testDomain,
        DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS: nats.url,
        ...(typeof env === 'function' ? env(cloud) : env),
      },
      ...(this.#options.nodeArgs === undefined ? {} : { nodeArgs: this.#options.nodeArgs }),
    });
    this.#daemon = daemon;
    return daemon;
  }

  /** Starts the daemon and waits until it has joined its group. */
  async startConnected(): Promise<CliProcess> {
    const daemon = this.startDaemon();
    await this.joined();
    return daemon;
  }

  get daemon(): CliProcess {
    if (this.#daemon === undefined) throw new Error('the daemon has not been started');
    return this.#daemon;
  }

  /** Changes a line of the conf file and has the daemon read it again, as `systemctl reload` does; resolves when it has. */
  async reload(key: string, value: string): Promise<void> {
    const file = path.join(this.#directory, 'dunebugger.conf');
    const conf = await readFile(file, 'utf8');
    const since = this.daemon.lines.length;
    await writeFile(file, conf.replace(new RegExp(`^${key} *=.*$`, 'm'), `${key} = ${value}`));
    this.daemon.signal('SIGHUP');
    await this.daemon.waitForLine(/Configuration reloaded/, { since, timeoutMs: 30_000 });
  }

  /** The daemon is in its group. */
  async joined(): Promise<void> {
    await this.cloud.pubsub.waitForMember(GROUP, { userId: 'device', timeoutMs: 30_000 });
  }

  /** Lines of the daemon's log so far. */
  log(): readonly LogLine[] {
    return this.daemon.lines.map((line) => JSON.parse(line) as LogLine);
  }

  /** A page of the front end, somewhere with internet. */
  async openPage(
    options: Partial<Pick<FrontEndOptions, 'heartbeatTimeoutMs' | 'asksForStates'>> = {},
  ): Promise<FrontEnd> {
    const page = await FrontEnd.open({
      url: this.cloud.pubsub.clientAccessUrl({ userId: 'browser' }),
      group: GROUP,
      ca: this.cloud.ca.certificatePem,
      ...options,
    });
    this.#pages.add(page);
    return page;
  }

  /** The Pi's internet goes away, that to Auth0 included. */
  async breakInternet(outage: Outage): Promise<void> {
    await this.cloud.breakInternet(outage);
    await this.auth0Gate.behave({ kind: outage === 'silent' ? 'black-hole' : 'refuse' });
  }

  async repairInternet(): Promise<void> {
    await this.cloud.repairInternet();
    await this.auth0Gate.behave({ kind: 'open' });
  }

  async stop(): Promise<void> {
    await this.#daemon?.kill();
    await Promise.all([...this.#pages].map((page) => page.stop()));
    await Promise.all([this.core.stop(), this.scheduler.stop()]);
    await this.nats.kill();
    await this.auth0Gate.stop();
    await this.auth0.close();
    await this.cloud.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
