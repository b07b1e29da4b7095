/**
 * What the rest of the program needs of a log: the fields first, then the sentence. Never throws.
 *
 * INFO: connection state changes and major events. DEBUG: periodic status and details.
 * WARNING: temporary issues and retries. ERROR: what needs somebody's attention.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
