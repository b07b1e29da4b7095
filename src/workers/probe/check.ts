/** The checks of one site, one after the other: remembers between them what makes the next one cheap. `one-check.ts` makes each. */
import { interfacesNow, type Interfaces } from '../net/interfaces.js';
import { usableFamilies } from '../net/resolve.js';
import { KeptConnection, type KeptPolicy } from './kept-connection.js';
import { FIRST_MANNER, learnManner, mannerOfNew, type Manner } from './manner.js';
import { OneCheck, type CheckSettings, type Seen } from './one-check.js';

export type { Seen } from './one-check.js';

export interface ProberSettings extends CheckSettings {
  readonly kept?: KeptPolicy;
  /** The addresses of this machine. Default: asked of the kernel each time. */
  readonly interfaces?: () => Interfaces | undefined;
}

/** How long an address that proved to be the site's is believed to be, where the name servers give others by turns. */
const VERIFIED_FOR_MS = 3_600_000;
const MAX_VERIFIED = 16;

/** Makes the checks of one site, and remembers between them what makes the next one cheap. */
export class Prober {
  readonly #settings: ProberSettings;
  readonly #kept: KeptConnection;
  #session: Buffer | undefined;
  #lastGood: string | undefined;
  #namesFailed = false;
  #manner = FIRST_MANNER;
  #usualMs: number | undefined;
  /** Address -> when it last proved to be the site's, on the clock of `performance.now()`. */
  readonly #verified = new Map<string, number>();

  constructor(settings: ProberSettings) {
    this.#settings = settings;
    this.#kept = new KeptConnection(settings.kept);
  }

  /** How the site takes requests. */
  get manner(): Manner {
    return this.#manner;
  }

  /** The address that answered last. */
  get lastGood(): string | undefined {
    return this.#lastGood;
  }

  /** Resolves with undefined if `signal` aborted meanwhile. Calls must not overlap. `fresh`: an old connection proves nothing. Default false. */
  async check(signal: AbortSignal, fresh = false): Promise<Seen | undefined> {
    const interfaces = (this.#settings.interfaces ?? interfacesNow)();
    const kept = this.#kept.take(interfaces, fresh);
    if (kept === undefined) this.#manner = mannerOfNew(this.#manner);
    const seen = await new OneCheck(this.#settings, {
      kept,
      families: usableFamilies(interfaces),
      lastGood: this.#lastGood,
      namesFailed: this.#namesFailed,
      manner: this.#manner,
      usualMs: this.#usualMs,
      session: this.#session,
      onSession: (session) => (this.#session = session),
      isVerified: (address) => this.#isVerified(address),
      signal,
    }).run();
    if (signal.aborted) {
      seen.connection?.close();
      return undefined;
    }
    this.#namesFailed = !seen.dns.ok;
    this.#manner = learnManner(this.#manner, seen.https, seen.connection?.isHttp2);
    const answered = seen.https.find(({ ok }) => ok);
    this.#usualMs = answered?.httpMs;
    // A try that came as far as a verified handshake leaves the next one its address, beside the session.
    const verified = seen.https.find(({ ok, tlsMs }) => !ok && tlsMs !== undefined)?.address;
    if (answered === undefined && verified !== undefined) this.#lastGood = verified;
    // What resumes a session is larger than what begins one, and may be too large for the line.
    if (answered === undefined && seen.https.some(({ failedAt, reused }) => failedAt === 'tls' && !reused))
      this.#session = undefined;
    if (seen.connection !== undefined) {
      this.#kept.keep(seen.connection);
      this.#lastGood = seen.connection.address;
      this.#remember(seen.connection.address);
    }
    return seen;
  }

  /** Closes what is open. */
  close(): void {
    this.#kept.close();
  }

  #isVerified(address: string): boolean {
    const at = this.#verified.get(address);
    return at !== undefined && performance.now() - at < VERIFIED_FOR_MS;
  }

  #remember(address: string): void {
    this.#verified.delete(address);
    this.#verified.set(address, performance.now());
    const [oldest] = this.#verified.keys();
    if (this.#verified.size > MAX_VERIFIED && oldest !== undefined) this.#verified.delete(oldest);
  }
}
