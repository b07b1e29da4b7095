/** What a day costs in which nothing happens: measured for some minutes on the Pi's interface, reckoned for a day. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { difference, frameBytes, type Traffic } from './counters.js';
import { CLI, environmentOf, LabDaemon } from './daemon.js';
import { Lab } from './lab.js';

/** A site of the lab shows two small certificates of elliptic curves, some 0.8 kB; real ones show three, of RSA, up to 5 kB. */
const REAL_CERTIFICATES_MORE_BYTES = 4_500;
/** The kept connection of the checks lives for a quarter of an hour, give or take a fifth (`kept-connection.ts`). */
const RENEWALS_A_DAY = 96 * 1.2;
/** With the data saver the site is asked once an hour, and its connection has ended by then. */
const SAVER_CHECKS_A_DAY = 24;
const SETTLE_MS = 5_000;
/** The site closes its connection after 75 s without a request, which belongs to the check before and not to what is measured. */
const SAVER_SETTLE_MS = 80_000;

export interface IdleDay {
  /** Ethernet frames both ways, bytes. */
  readonly startBytes: number;
  readonly checkBytes: number;
  readonly idleBytesAnHour: number;
  /** Of which were sent as questions to name servers. */
  readonly dnsQueriesAnHour: number;
  readonly checksAnHour: number;
  /** One start (sign-in, first check, WebSocket), the idle hours, and new connections of the checks with certificates as real ones are. */
  readonly dayBytes: number;
}

/** A daemon that is idle in a lab of its own. */
export class IdleLab {
  private constructor(
    readonly lab: Lab,
    readonly daemon: LabDaemon,
    private readonly env: NodeJS.ProcessEnv,
    private readonly startBytes: number,
  ) {}

  static async create(dataSaver: boolean): Promise<IdleLab> {
    const lab = await Lab.create({ ipv6: false });
    // A clock that the kernel keeps needs none of them.
    const env = {
      DUNEBUGGER_NETWORK_DATA_SAVER: dataSaver ? 'True' : 'False',
      DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1',
    };
    const before = await lab.traffic();
    const daemon = LabDaemon.start(lab, { env });
    await daemon.joined();
    await sleep(dataSaver ? SAVER_SETTLE_MS : SETTLE_MS);
    return new IdleLab(lab, daemon, env, frameBytes(await lab.traffic(before)));
  }

  async measure(seconds: number, dataSaver: boolean): Promise<IdleDay> {
    const mark = this.daemon.journal.mark();
    const before = await this.lab.traffic();
    await sleep(seconds * 1_000);
    const idle = await this.lab.traffic(before);
    const checks = this.daemon.checks(mark).length;
    const checkBytes = frameBytes(await this.#oneCheck());
    const anHour = 3_600 / seconds;
    const newOnes = dataSaver ? SAVER_CHECKS_A_DAY : RENEWALS_A_DAY;
    const { startBytes } = this;
    const idleBytesAnHour = frameBytes(idle) * anHour;
    return {
      startBytes,
      checkBytes,
      idleBytesAnHour,
      dnsQueriesAnHour: idle.dns.packets * anHour,
      checksAnHour: checks * anHour,
      dayBytes:
        startBytes +
        3 * REAL_CERTIFICATES_MORE_BYTES +
        24 * idleBytesAnHour +
        newOnes * (checkBytes + REAL_CERTIFICATES_MORE_BYTES),
    };
  }

  async destroy(): Promise<void> {
    await this.daemon.kill();
    await this.lab.destroy();
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
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`the check ended with ${String(code)}`);
    return difference(await this.lab.traffic(), before);
  }
}
