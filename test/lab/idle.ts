/** What a day costs in which nothing happens: measured for some minutes on the Pi's interface, reckoned for a day. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SiteBehaviour, SiteProtocol } from '../support/https-site.js';
import { bytesOf, difference, type Bytes, type Traffic } from './counters.js';
import { CLI, environmentOf, LabDaemon } from './daemon.js';
import { Lab } from './lab.js';
import { endOf } from '../support/ends.js';

/** A site of the lab shows two small certificates of elliptic curves, some 0.8 kB; real ones show three, of RSA, up to 5 kB. */
const REAL_CERTIFICATES_MORE_BYTES = 4_500;
/** Of a start: sign-in, WebSocket, first check. */
const FULL_HANDSHAKES = 3;
/** The kept connection of the checks lives for a quarter of an hour, give or take a fifth (`kept-connection.ts`); its TLS session is resumed. */
const RENEWALS_A_DAY = 96;
/** With the data saver the site is asked once an hour, and its connection has ended by then. */
const SAVER_CHECKS_A_DAY = 24;
const SETTLE_MS = 5_000;
/** The site closes its connection after 75 s without a request, which belongs to the check before and not to what is measured. */
const SAVER_SETTLE_MS = 80_000;

export interface IdleOptions {
  readonly dataSaver: boolean;
  /** Beside IPv4. */
  readonly ipv6: boolean;
  /** What the site speaks. Default: both, as most do. */
  readonly speaks?: readonly SiteProtocol[];
  /** How it answers. Default: as bare as it gets. */
  readonly answers?: SiteBehaviour;
  /** Settings besides. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface IdleDay {
  readonly start: Bytes;
  /** One more for a connection of the checks: resumed where it is renewed, whole with the data saver. */
  readonly renewal: Bytes;
  /** Of these, an hour. */
  readonly checks: Bytes;
  readonly cloud: Bytes;
  readonly idle: Bytes;
  /** Of which were sent as questions to name servers. */
  readonly dnsQueriesAnHour: number;
  readonly checksAnHour: number;
  /** One start (sign-in, first check, WebSocket), the idle hours, and new connections of the checks, with certificates as real ones are. */
  readonly day: Bytes;
}

/** A daemon that is idle in a lab of its own. */
export class IdleLab {
  private constructor(
    readonly lab: Lab,
    readonly daemon: LabDaemon,
    private readonly options: IdleOptions,
    private readonly env: NodeJS.ProcessEnv,
    private readonly start: Bytes,
  ) {}

  static async create(options: IdleOptions): Promise<IdleLab> {
    const { dataSaver, ipv6, speaks, answers } = options;
    const lab = await Lab.create({ ipv6 });
    if (speaks !== undefined) await lab.internet.call('siteSpeaks', speaks);
    if (answers !== undefined) await lab.internet.call('site', answers);
    // A clock that the kernel keeps needs none of them.
    const env = {
      DUNEBUGGER_NETWORK_DATA_SAVER: dataSaver ? 'True' : 'False',
      DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1',
      ...options.env,
    };
    const before = await lab.traffic();
    const daemon = LabDaemon.start(lab, { env });
    await daemon.joined();
    await sleep(dataSaver ? SAVER_SETTLE_MS : SETTLE_MS);
    return new IdleLab(lab, daemon, options, env, all(await lab.traffic(before)));
  }

  async measure(seconds: number): Promise<IdleDay> {
    const { start, lab } = this;
    const { dataSaver } = this.options;
    // From the end of one check to that of another, so that none is counted by half.
    const checkEnds = async (): Promise<void> => {
      if (!dataSaver) await this.daemon.checked(1, this.daemon.journal.mark());
    };
    await checkEnds();
    const mark = this.daemon.journal.mark();
    const before = await lab.traffic();
    const begunAt = performance.now();
    await sleep(seconds * 1_000);
    await checkEnds();
    const traffic = await lab.traffic(before);
    const anHour = 3_600_000 / (performance.now() - begunAt);
    const checks = this.daemon.checks(mark).length;
    const idle = times(all(traffic), anHour);
    const renewal = dataSaver ? all(await this.#oneCheck()) : await this.#renewal(idle);
    const newOnes = dataSaver ? SAVER_CHECKS_A_DAY : RENEWALS_A_DAY;
    const certificates = REAL_CERTIFICATES_MORE_BYTES * (FULL_HANDSHAKES + (dataSaver ? SAVER_CHECKS_A_DAY : 0));
    const { siteUp, siteDown, dns, dnsDown, cloudUp, cloudDown } = traffic;
    return {
      start,
      renewal,
      checks: times(bytesOf(siteUp, siteDown, dns, dnsDown), anHour),
      cloud: times(bytesOf(cloudUp, cloudDown), anHour),
      idle,
      dnsQueriesAnHour: dns.packets * anHour,
      checksAnHour: checks * anHour,
      day: plus(start, times(idle, 24), times(renewal, newOnes), { ip: certificates, frames: certificates }),
    };
  }

  async destroy(): Promise<void> {
    await this.daemon.kill();
    await this.lab.destroy();
  }

  /** What it costs more than a check over the kept connection that another is opened, its TLS session resumed. */
  async #renewal(idle: Bytes): Promise<Bytes> {
    const { lab, daemon } = this;
    const before = await lab.traffic();
    const { site } = await lab.internet.call('counts', undefined);
    const begunAt = performance.now();
    await lab.internet.call('siteDrops', undefined);
    await daemon.checked(2, daemon.journal.mark());
    const took = times(idle, -(performance.now() - begunAt) / 3_600_000);
    const { resumptions } = (await lab.internet.call('counts', undefined)).site;
    if (resumptions !== site.resumptions + 1) throw new Error('the TLS session was not resumed, once');
    return plus(all(await lab.traffic(before)), took);
  }

  /** A check over a new connection, by a process of its own; what the daemon carries meanwhile is in it. */
  async #oneCheck(): Promise<Traffic> {
    const before = await this.lab.traffic();
    const child = this.lab.exec('pi', process.execPath, [CLI, 'check'], {
      cwd: this.lab.folder,
      onlyEnv: environmentOf(this.lab, { env: this.env }),
    });
    child.stdout?.resume();
    child.stderr?.resume();
    const { code } = await endOf(child, 'one check');
    if (code !== 0) throw new Error(`the check ended with ${String(code)}`);
    return difference(await this.lab.traffic(), before);
  }
}

function all({ up, down }: Traffic): Bytes {
  return bytesOf(up, down);
}

function times({ ip, frames }: Bytes, factor: number): Bytes {
  return { ip: ip * factor, frames: frames * factor };
}

function plus(...several: readonly Bytes[]): Bytes {
  return several.reduce((sum, { ip, frames }) => ({ ip: sum.ip + ip, frames: sum.frames + frames }), {
    ip: 0,
    frames: 0,
  });
}
