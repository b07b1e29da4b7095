/** What one session is made with; `web-pubsub.ts` has the defaults. Durations are milliseconds. */
import type { Logger } from '../../log.js';
import type { SessionEvent } from '../session.js';
import type { LinkOptions } from './link.js';
import type { LivenessPolicy } from './liveness.js';
import type { SubprotocolName } from './safe-protocol.js';

export interface SessionSettings {
  readonly group: string;
  readonly link: LinkOptions & { readonly subprotocol: SubprotocolName };
  readonly joinTimeoutMs: number;
  readonly recoveryWindowMs: number;
  readonly recoverySpacingMs: number;
  readonly liveness: () => LivenessPolicy;
  readonly mayOpen: () => boolean;
  readonly onEvent: (event: SessionEvent) => void;
  /** The service refused the URL's token. */
  readonly onRefused: () => void;
  readonly log: Logger;
}
