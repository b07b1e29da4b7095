/** What the exchange is made of, and its settings. */
import type { Clock } from '../base/clock.js';
import type { Json } from '../base/json.js';
import type { Logger } from '../log.js';
import type { ClockStatus } from './clock-teller.js';
import type { ComponentStatus } from './from-bus.js';
import type { STALE_COMMAND_SECS } from './late-commands.js';
import type { RemoteBus, RemoteConnection } from './ports.js';
import type { DEFAULT_SENDER_LIMITS, SenderLimits } from './sender.js';
import type { DEFAULT_FLOOD_LIMIT, TokenBucketOptions } from './token-bucket.js';

export interface RemoteSettings {
  /** False: nothing at all is sent to the group, as the Python version did; messages to the components still pass. */
  readonly broadcastInitialState: boolean;
  readonly heartBeatEverySecs: number;
  readonly heartBeatLoopDurationSecs: number;
  /** Replayed commands of a longer drop are not forwarded. Default {@link STALE_COMMAND_SECS}; 0: none is; negative: all are. */
  readonly staleCommandSecs?: number;
  /** Largest message taken from the group, bytes of JSON. Default: that of the router. */
  readonly maxMessageBytes?: number;
  /** Limit on messages from the group. Default {@link DEFAULT_FLOOD_LIMIT}. */
  readonly floodLimit?: TokenBucketOptions;
}

export interface ExchangeDependencies {
  readonly connection: RemoteConnection;
  /** Undefined: no bus is wanted; the components are neither watched nor reached. */
  readonly bus: RemoteBus | undefined;
  /** Collects the body of a `system_info` message, `{system_info: {...}}`. */
  readonly collectSystemInfo: (components: readonly ComponentStatus[]) => Promise<Json>;
  readonly settings: RemoteSettings;
  /** Default {@link DEFAULT_SENDER_LIMITS}. */
  readonly senderLimits?: SenderLimits;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Whether the system clock can be trusted; undefined: nobody is told anything of it. */
  readonly clockStatus?: { readonly status: ClockStatus; readonly clientId: string };
}
