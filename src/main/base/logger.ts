/**
 * What the rest of the program needs of a log: the fields first, then the sentence. Never throws.
 *
 * INFO: connection state changes and major events. DEBUG: periodic status and details.
 * WARNING: temporary issues and retries. ERROR: what needs somebody's attention.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  /** False: nothing that is said at debug is shown now, so it need not be put together. Default: it may be. */
  readonly showsDebug?: () => boolean;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The ways to say something. */
export type Say = Exclude<keyof Logger, 'showsDebug'>;
