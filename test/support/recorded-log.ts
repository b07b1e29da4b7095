/** A log that a test reads. */
import type { Logger, Say } from '../../src/main/base/logger.js';
import { gatherEvent } from './everything-logged.js';

export interface LogLine {
  readonly level: Say;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export class RecordedLog implements Logger {
  readonly lines: LogLine[] = [];

  debug(fields: object, message: string): void {
    this.#add('debug', fields, message);
  }
  info(fields: object, message: string): void {
    this.#add('info', fields, message);
  }
  warn(fields: object, message: string): void {
    this.#add('warn', fields, message);
  }
  error(fields: object, message: string): void {
    this.#add('error', fields, message);
  }

  /** The messages of these levels. */
  at(...levels: readonly Say[]): readonly string[] {
    return this.lines.filter(({ level }) => levels.includes(level)).map(({ message }) => message);
  }

  #add(level: Say, fields: object, message: string): void {
    gatherEvent(level, fields, message);
    this.lines.push({ level, fields: { ...fields }, message });
  }
}
