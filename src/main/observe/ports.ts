/** What is needed of the rest of the program. */
import type { Logger } from '../base/logger.js';

export interface RedactingLogger extends Logger {
  /** What an outlet beside the log may show of a text. */
  redact(text: string): string;
}
