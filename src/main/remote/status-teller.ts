/**
 * Tells whoever listens on the bus how the internet and the cloud connection are: `ROOT.CLIENTID.status`, at each change, when the bus is
 * there (again), and when asked (`ROOT.CLIENTID.get_status`; who asks by a request of NATS is answered, too).
 */
import type { Json } from '../base/json.js';
import type { JsonObject } from './messages.js';

export interface VerdictStatus {
  /** Undefined: nothing runs any more. */
  readonly current: Json | undefined;
  onChange(listener: (body: Json) => void): () => void;
}

export interface StatusTellerOptions {
  readonly status: VerdictStatus;
  /** `mQueueClientID`. */
  readonly clientId: string;
  /** Publishes on our own subject. */
  readonly announce: (subject: string, payload: JsonObject) => void;
}

export class StatusTeller {
  readonly #forget: () => void;

  constructor(private readonly options: StatusTellerOptions) {
    this.#forget = options.status.onChange(() => this.tell());
  }

  /** @param answer to the one who asked, where there is one */
  tell(answer?: (payload: JsonObject) => void): void {
    const { status, clientId, announce } = this.options;
    const body = status.current;
    if (body === undefined) return;
    const payload = { body, subject: 'status', source: clientId };
    announce('status', payload);
    answer?.(payload);
  }

  stop(): void {
    this.#forget();
  }
}
