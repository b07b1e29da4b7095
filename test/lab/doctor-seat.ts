/** A lab whose daemon can be asked, and the doctor beside it. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemon } from '../../src/main/cli/ask.js';
import type { DoctorReport } from '../../src/main/cli/doctor/report.js';
import type { Snapshot } from '../../src/main/observe/snapshot.js';
import { gatherFrom } from '../support/everything-logged.js';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import type { ComponentCalls } from './component.js';
import { CLI, environmentOf, LabDaemon, type LabDaemonOptions } from './daemon.js';
import { Lab } from './lab.js';
import { RemoteChild } from './remote-call.js';
import { NET } from './topology.js';
import { endOf } from '../support/ends.js';

export interface DoctorRun {
  readonly code: number | null;
  readonly report: DoctorReport;
  /** Of the whole process, milliseconds. */
  readonly ms: number;
}

const NATS_PORT = 4222;
/** A daemon that is cut off may be in a pause of its own (15 s, and a fifth of jitter). */
const PATIENCE_MS = 45_000;

export class DoctorSeat {
  private constructor(
    readonly lab: Lab,
    readonly daemon: LabDaemon,
    private readonly options: LabDaemonOptions,
    private readonly components: RemoteChild<ComponentCalls> | undefined,
  ) {}

  /**
   * @param whole with a bus, core and scheduler
   * @param prepare makes another network of it before the daemon starts
   * @param env more of the environment of daemon and doctor
   */
  static async create({
    whole = false,
    prepare = undefined as ((lab: Lab) => Promise<void>) | undefined,
    env = {},
  } = {}): Promise<DoctorSeat> {
    const lab = await Lab.create();
    try {
      await prepare?.(lab);
      await lab.internet.call('time', { silent: false });
      const natsUrl = `nats://127.0.0.1:${NATS_PORT}`;
      const options: LabDaemonOptions = {
        ...(whole && { natsUrl }),
        env: {
          DUNEBUGGER_STATUS_CONTROL_SOCKET: join(lab.folder, 'control.sock'),
          DUNEBUGGER_NTP_NTP_SERVERS: NET.v4,
          // Nobody tries in vain for longer than a fault lasts here.
          DUNEBUGGER_WEBSOCKET_BACKOFF_BASE_SECS: '1',
          DUNEBUGGER_WEBSOCKET_RETURN_SPREAD_SECS: '0',
          ...env,
        },
      };
      const components = whole ? await startComponents(lab, natsUrl) : undefined;
      return new DoctorSeat(lab, LabDaemon.start(lab, options), options, components);
    } catch (error) {
      await lab.destroy();
      throw error;
    }
  }

  /** The daemon is connected, and has proved its clock. */
  async connected(): Promise<void> {
    const isSo = ({ outcome, clock }: Snapshot): boolean => outcome === 'connected' && clock.trusted === true;
    await this.until(isSo, 'connected');
  }

  /** Resolves when the daemon says so. */
  async until(isSo: (snapshot: Snapshot) => boolean, what: string): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const paths = [join(this.lab.folder, 'control.sock')];
      const asked = await askDaemon({ what: 'GET /snapshot', paths, timeoutMs: 2_000 });
      if (asked.kind === 'answer' && asked.status === 200 && isSo(JSON.parse(asked.body) as Snapshot)) return;
      if (performance.now() > endMs) throw new Error(`the daemon is not ${what}:\n${this.daemon.journal.tail()}`);
      await sleep(100);
    }
  }

  /** Runs it in the lab's Pi, with the settings of the daemon. */
  async doctor({ fakeClock = false, args = [] as readonly string[] } = {}): Promise<DoctorRun> {
    const startedAt = performance.now();
    const child = this.lab.exec('pi', process.execPath, [CLI, 'doctor', '--json', ...args], {
      cwd: this.lab.folder,
      onlyEnv: environmentOf(this.lab, { ...this.options, fakeClock }),
    });
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    if (child.stdout !== null) gatherFrom('doctor', child.stdout);
    if (child.stderr !== null) gatherFrom('doctor-stderr', child.stderr);
    const { code } = await endOf(child, 'the doctor');
    const ms = Math.round(performance.now() - startedAt);
    if (stderr !== '' || stdout === '') throw new Error(`doctor ended with ${String(code)}: ${stderr}`);
    return { code, report: JSON.parse(stdout) as DoctorReport, ms };
  }

  async destroy(): Promise<void> {
    await this.daemon.kill();
    await this.components?.stop();
    await this.lab.destroy();
  }
}

async function startComponents(lab: Lab, url: string): Promise<RemoteChild<ComponentCalls>> {
  const nats = findNatsServer();
  if (nats === undefined) throw new NatsServerMissingError();
  lab.exec('pi', nats, ['-a', '127.0.0.1', '-p', String(NATS_PORT)], { stdio: 'ignore' });
  const components = await RemoteChild.start<ComponentCalls>(lab.namespace('pi'), './component-main.js');
  await components.call('start', { url });
  return components;
}
