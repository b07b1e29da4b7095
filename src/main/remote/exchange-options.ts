/** What the exchange is made of, and its settings. */
import type { Clock } from '../base/clock.js';
import type { Json } from '../base/json.js';
import type { Logger } from '../log.js';
import type { ClockStatus } from './clock-teller.js';
import type { ComponentInfo } from './components-info.js';
import type { ComponentStatus } from './from-bus.js';
import type { RemoteBus, RemoteConnection } from './ports.js';
import type { SenderLimits } from './sender.js';
import type { VerdictStatus } from './status-teller.js';
import type { TokenBucketOptions } from './token-bucket.js';
import type { CoordinatorFiles } from './updates/coordinator-files.js';

export interface RemoteSettings {
  /** False: nothing at all is sent to the group, as the Python version did; messages to the components still pass. */
  readonly broadcastInitialState: boolean;
  readonly heartBeatEverySecs: number;
  readonly heartBeatLoopDurationSecs: number;
  /** Replayed commands of a longer drop are not forwarded. Default that of `late-commands.ts`; 0: none is; negative: all are. */
  readonly staleCommandSecs?: number;
  /** Largest message taken from the group, bytes of JSON. Default: that of the router. */
  readonly maxMessageBytes?: number;
  /** Limit on messages from the group. Default that of `token-bucket.ts`. */
  readonly floodLimit?: TokenBucketOptions;
}

export interface ExchangeDependencies {
  readonly connection: RemoteConnection;
  /** Undefined: no bus is wanted; the components are neither watched nor reached. */
  readonly bus: RemoteBus | undefined;
  /** Collects the body of a `system_info` message, `{system_info: {...}}`. */
  readonly collectSystemInfo: (components: readonly ComponentStatus[]) => Promise<Json>;
  /** What is told of the components, this one included. Never rejects. */
  readonly describeComponents: (components: readonly ComponentStatus[]) => Promise<readonly ComponentInfo[]>;
  /** Where updates of core and scheduler are handed over; undefined: nowhere. */
  readonly updateFiles?: CoordinatorFiles | undefined;
  readonly settings: RemoteSettings;
  /** Default those of `sender.ts`. */
  readonly senderLimits?: SenderLimits;
  readonly log: Logger;
  readonly clock?: Clock;
  /** How the internet and the cloud connection are; undefined: nobody is told. */
  readonly verdict?: { readonly status: VerdictStatus; readonly clientId: string } | undefined;
  /** Whether the system clock can be trusted; undefined: nobody is told anything of it. */
  readonly clockStatus?: { readonly status: ClockStatus; readonly clientId: string };
}
