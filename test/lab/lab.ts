/**
 * A Pi, a router and an internet in three network namespaces, made for one test and removed with it. Needs root.
 * Several labs can exist side by side; each has namespaces with names of its own.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addCounters, difference, readCounters, type Traffic } from './counters.js';
import type { InternetCalls, InternetOptions } from './internet.js';
import {
  addNamespace,
  etcOf,
  ipBatch,
  nextPrefix,
  nft,
  removeNamespace,
  requireLab,
  run,
  sweepStale,
  sysctl,
} from './netns.js';
import type { ProbeCalls } from './probe.js';
import { RemoteChild } from './remote-call.js';
import {
  LAN,
  NET,
  PI,
  PLACES,
  PORTAL,
  PORTS,
  SECOND_NAME_SERVER,
  WAN,
  type Interface,
  type Place,
} from './topology.js';

/** How long a process goes on with the clock it knows after {@link Lab.setClock}; libfaketime counts in seconds. */
export const CLOCK_CACHE_MS = 1_000;

/** A dozen RSA keys are made, perhaps on a slow machine. */
const START_MS = 180_000;

export interface LabOptions {
  /** IPv6 everywhere, beside IPv4. Default true. */
  readonly ipv6?: boolean;
  /** `rsa-2048` makes the site's handshake as heavy as that of an ordinary one. Default `ecdsa-p256`. */
  readonly algorithm?: InternetOptions['algorithm'];
}

export interface ExecOptions {
  /** Added to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The environment itself instead, for a process that must see nothing of this one's. `PATH` stays. */
  readonly onlyEnv?: NodeJS.ProcessEnv;
  /** Default: nothing in, two pipes out. */
  readonly stdio?: StdioOptions;
  /** Default: this process's. */
  readonly cwd?: string;
}

export class Lab {
  readonly prefix = nextPrefix();
  readonly ipv6: boolean;
  /** A folder for the test's own files; removed with the lab. */
  readonly folder: string;
  /** File with the root certificate of the internet, PEM, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  #ca = '';
  #internet: RemoteChild<InternetCalls> | undefined;
  #probe: RemoteChild<ProbeCalls> | undefined;
  readonly #undo = new Map<string, () => Promise<void>>();
  readonly #onExit = (): void => this.#removeAll();

  private constructor(ipv6: boolean) {
    this.ipv6 = ipv6;
    this.folder = mkdtempSync(join(tmpdir(), `${this.prefix}-`));
    this.caFile = join(this.folder, 'ca.pem');
    this.setClock('+0');
  }

  /**
   * Makes a lab in which everything works. Removes first what labs that crashed have left.
   * @throws LabUnavailableError without root or without the tools: a failure, not a reason to skip
   */
  static async create(options: LabOptions = {}): Promise<Lab> {
    await requireLab();
    await sweepStale();
    const lab = new Lab(options.ipv6 ?? true);
    // Also when the test throws. What a SIGKILL leaves, the next lab removes.
    process.once('exit', lab.#onExit);
    try {
      await lab.#build(options.algorithm ?? 'ecdsa-p256');
      return lab;
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** Name of a place's namespace. */
  namespace(place: Place): string {
    return `${this.prefix}-${place}`;
  }

  /** The root certificate of the internet, PEM. */
  get ca(): string {
    return this.#ca;
  }

  /** The servers in `net`. */
  get internet(): RemoteChild<InternetCalls> {
    return present(this.#internet);
  }

  /** Simple questions, asked from `pi`. */
  get probe(): RemoteChild<ProbeCalls> {
    return present(this.#probe);
  }

  /** Starts a process in a place. It is killed with the lab at the latest. */
  exec(place: Place, command: string, args: readonly string[] = [], options: ExecOptions = {}): ChildProcess {
    return spawn('ip', ['netns', 'exec', this.namespace(place), command, ...args], {
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      env: options.onlyEnv
        ? { PATH: process.env['PATH'], ...options.onlyEnv, ...options.env }
        : { ...process.env, ...options.env },
    });
  }

  /** Runs lines of `ip` in a place. */
  ip(place: Place, ...lines: string[]): Promise<void> {
    return ipBatch(this.namespace(place), lines);
  }

  /** TCP connections of a place to a port, as its kernel has them now: those that are open, and those being opened. */
  async connectionsTo(place: Place, port: number): Promise<readonly string[]> {
    const filter = `( dport = :${port} )`;
    const states = ['established', 'syn-sent'].flatMap((state) => ['state', state]);
    const text = await run('ip', ['netns', 'exec', this.namespace(place), 'ss', '-Htn', ...states, filter]);
    return text.split('\n').filter((line) => line.trim() !== '');
  }

  /** What `ip -json` says, parsed. */
  async ipJson(place: Place, ...args: string[]): Promise<unknown> {
    return JSON.parse(await run('ip', ['-json', '-netns', this.namespace(place), ...args])) as unknown;
  }

  /** Adds a ruleset to a place as a table of its own: `chains` is what stands between its braces. */
  async addRules(place: Place, name: string, chains: string): Promise<void> {
    await nft(this.namespace(place), `table inet ${name} {\n${chains}\n}`);
  }

  async removeRules(place: Place, name: string): Promise<void> {
    // To name a table that does not exist is an error for `delete`; the first line makes it.
    await nft(this.namespace(place), `table inet ${name} {}\ndelete table inet ${name}`);
  }

  /** Keeps how to undo something under a name, for {@link undo}. */
  remember(name: string, undo: () => Promise<void>): void {
    this.#undo.set(name, undo);
  }

  async undo(name: string): Promise<void> {
    const undo = this.#undo.get(name);
    this.#undo.delete(name);
    await undo?.();
  }

  /** Address, route and link of every machine as they should be, like a DHCP client and a router's start would set them. */
  async configure(): Promise<void> {
    await ipBatch(this.namespace('net'), [...this.#up(NET), ...this.#defaultRoute(WAN)]);
    await ipBatch(this.namespace('router'), [...this.#up(LAN), ...this.#up(WAN), ...this.#routesBehindNet()]);
    await ipBatch(this.namespace('pi'), [...this.#up(PI), ...this.#defaultRoute(LAN)]);
    this.setResolvConf(this.nameServers());
  }

  /** The addresses of the name server, IPv4 first. */
  nameServers(): string[] {
    return this.ipv6 ? [NET.v4, NET.v6] : [NET.v4];
  }

  /** Rewrites the resolv.conf of `pi`, in place, since a process sees the file that was there when it was started. */
  setResolvConf(servers: readonly string[]): void {
    writeFileSync(
      `${etcOf(this.namespace('pi'))}/resolv.conf`,
      servers.map((server) => `nameserver ${server}\n`).join(''),
    );
  }

  get resolvConf(): string {
    return readFileSync(`${etcOf(this.namespace('pi'))}/resolv.conf`, 'utf8');
  }

  /**
   * Environment of a process whose clock {@link setClock} sets (libfaketime). The monotonic clock stays true.
   * @throws Error if Debian's package libfaketime is not there
   */
  clockEnv(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: findFaketime(),
      FAKETIME_TIMESTAMP_FILE: this.#clockFile,
      FAKETIME_CACHE_DURATION: String(CLOCK_CACHE_MS / 1_000),
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  /** Sets the clock of the processes with {@link clockEnv} within a second: `-6y`, `+0`. */
  setClock(offset: string): void {
    writeFileSync(this.#clockFile, `${offset}\n`);
  }

  get #clockFile(): string {
    return join(this.folder, 'clock');
  }

  /** What the router has counted so far, or since an earlier reading. */
  async traffic(since?: Traffic): Promise<Traffic> {
    const now = await readCounters(this.namespace('router'));
    return since === undefined ? now : difference(now, since);
  }

  /** Removes everything, processes included. */
  async destroy(): Promise<void> {
    process.removeListener('exit', this.#onExit);
    await Promise.all([this.#internet?.stop(), this.#probe?.stop()]);
    this.#removeAll();
  }

  #removeAll(): void {
    for (const place of [...PLACES, 'wire']) removeNamespace(`${this.prefix}-${place}`);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #build(algorithm: InternetOptions['algorithm']): Promise<void> {
    await Promise.all(PLACES.map((place) => addNamespace(this.namespace(place))));
    await this.#connect(PI, LAN);
    await this.#connect(WAN, NET);
    await sysctl(this.namespace('router'), { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 });
    await this.configure();
    await this.#furnishNet();
    await addCounters(this.namespace('router'));
    [this.#internet, this.#probe] = await Promise.all([
      RemoteChild.start<InternetCalls>(this.namespace('net'), './internet-main.js'),
      RemoteChild.start<ProbeCalls>(this.namespace('pi'), './probe-main.js'),
    ]);
    const { ca } = await this.#internet.call('start', { ipv6: this.ipv6, algorithm }, START_MS);
    this.#ca = ca;
    writeFileSync(this.caFile, ca);
  }

  /** The portal and the second name server are doors to the servers on the one address. */
  async #furnishNet(): Promise<void> {
    const behind = [PORTAL, SECOND_NAME_SERVER].flatMap(({ v4, v6 }) =>
      this.ipv6 ? [`${v4}/32`, `${v6}/128`] : [`${v4}/32`],
    );
    await ipBatch(
      this.namespace('net'),
      behind.map((address) => `address add ${address} dev lo`),
    );
    await this.addRules(
      'net',
      'doors',
      `chain prerouting { type nat hook prerouting priority dstnat; policy accept;
ip daddr ${PORTAL.v4} tcp dport { ${PORTS.site}, ${PORTS.cloud} } redirect to :${PORTS.portal}
ip6 daddr ${PORTAL.v6} tcp dport { ${PORTS.site}, ${PORTS.cloud} } redirect to :${PORTS.portal}
ip daddr ${PORTAL.v4} tcp dport 80 redirect to :${PORTS.plainPortal}
ip6 daddr ${PORTAL.v6} tcp dport 80 redirect to :${PORTS.plainPortal}
ip daddr ${SECOND_NAME_SERVER.v4} meta l4proto { tcp, udp } th dport 53 redirect to :${PORTS.dns}
ip6 daddr ${SECOND_NAME_SERVER.v6} meta l4proto { tcp, udp } th dport 53 redirect to :${PORTS.dns}
}`,
    );
  }

  async #connect(one: Interface, other: Interface): Promise<void> {
    const [here, there] = [this.namespace(one.place), this.namespace(other.place)];
    await run('ip', [
      '-netns',
      here,
      'link',
      'add',
      one.name,
      'type',
      'veth',
      'peer',
      'name',
      other.name,
      'netns',
      there,
    ]);
  }

  #up({ name, v4, v6 }: Interface): string[] {
    const lines = [`link set ${name} up`, `address replace ${v4}/24 dev ${name}`];
    return this.ipv6 ? [...lines, `address replace ${v6}/64 dev ${name} nodad`] : lines;
  }

  #defaultRoute({ v4, v6 }: Interface): string[] {
    return this.ipv6
      ? [`route replace default via ${v4}`, `route replace default via ${v6}`]
      : [`route replace default via ${v4}`];
  }

  #routesBehindNet(): string[] {
    return this.ipv6
      ? ['route replace 10.77.66.0/24 via 10.77.2.2', 'route replace fd77:0:0:66::/64 via fd77:0:0:2::2']
      : ['route replace 10.77.66.0/24 via 10.77.2.2'];
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the lab is not built');
  return value;
}

/** libfaketime lives in a folder named after the machine's architecture. */
function findFaketime(): string {
  const architectures = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu', arm: 'arm-linux-gnueabihf' };
  for (const [name, folder] of Object.entries(architectures)) {
    // The variant for programs with threads.
    if (name === process.arch) return `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`;
  }
  throw new Error(`no libfaketime known for ${process.arch}`);
}
