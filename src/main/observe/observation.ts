/** All that lets others know how this daemon is: the snapshot, and the outlets that show it. */
import type { CheckEvidence } from '../../workers/protocol.js';
import type { RedactingLogger } from './ports.js';
import { controlAddress } from './control-address.js';
import { ControlServer } from './control-server.js';
import { createRoutes } from './outlet.js';
import type { Parts } from './parts.js';
import { systemClock } from '../base/clock.js';
import { CheckQuality } from './quality.js';
import { takeSnapshot, type Snapshot } from './snapshot.js';

export interface ObservationOptions {
  /** What the parts say of themselves now; undefined while nothing runs. */
  readonly parts: () => Parts | undefined;
  /** Looks at the internet now. */
  readonly lookNow: () => Promise<unknown>;
  /** `[Status] controlSocket`. */
  readonly controlSocket: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: RedactingLogger;
}

export class Observation {
  readonly #options: ObservationOptions;
  readonly #control: ControlServer;
  readonly #quality = new CheckQuality();

  constructor(options: ObservationOptions) {
    this.#options = options;
    const { log, lookNow } = options;
    this.#control = new ControlServer({
      routes: createRoutes({ snapshot: () => this.#look(), lookNow, redact: (text) => log.redact(text) }),
      log,
    });
  }

  /** A check of the internet has ended. */
  checked(evidence: CheckEvidence): void {
    this.#quality.note(evidence, performance.now());
  }

  /** What the parts say of themselves; undefined while nothing runs. */
  snapshot(): Snapshot | undefined {
    const parts = this.#options.parts();
    return parts === undefined ? undefined : takeSnapshot(parts, systemClock.wallMs());
  }

  /** Never rejects: a daemon that cannot be asked does its work all the same. */
  async start(): Promise<void> {
    const { controlSocket, env } = this.#options;
    await this.#control.listen(controlAddress(controlSocket, env, process.pid));
  }

  async stop(): Promise<void> {
    await this.#control.close();
  }

  /** The same with a look at the machine. Loaded when somebody asks for the first time: most daemons are never asked. */
  async #look(): Promise<Snapshot | undefined> {
    const { lookAtMachine } = await import('./machine.js');
    const machine = await lookAtMachine();
    const parts = this.#options.parts();
    if (parts === undefined) return undefined;
    return takeSnapshot(parts, systemClock.wallMs(), { machine, lastHour: this.#quality.lastHour(performance.now()) });
  }
}
