/**
 * The log: pino, with lines for the journal, for eyes or as JSON, and nothing secret in any of them.
 *
 * pino decides what is logged and makes its JSON of it; here that becomes the line. Every text is redacted by itself and the finished line
 * once more, so that a secret neither hides in an escape nor comes together from two fields.
 */
import { systemClock } from './base/clock.js';
import { pino } from 'pino';
import { describeFields, describeText, type DescribeOptions, type Plain } from './log/describe.js';
import { detectFormat, standardOutput } from './log/detect.js';
import { formatJournal, formatJson, formatTerminal, type Formatter, type LogEvent } from './log/format.js';
import type { Logger } from './base/logger.js';
import { createRedactor, isSecretKey } from './log/redact.js';
import { openJournalStream } from './log/journal-stream.js';
import { createLineWriter, type WriterOptions } from './log/writer.js';

export type { Logger } from './base/logger.js';
export { foldRepeats, numbersAside, type FoldingLogger, type FoldOptions } from './log/fold.js';

/** Levels by their names in the conf file. */
export type LogLevel = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL';

export type LogFormat = 'journal' | 'terminal' | 'json';

/** The log of the whole process. */
export interface DaemonLogger extends Logger {
  /** The process cannot go on. */
  fatal(fields: object, message: string): void;
  setLevel(level: LogLevel): void;
  /** One more text that no line may show, such as a fresh token; of 3 characters or fewer: ignored. */
  addSecret(secret: string): void;
  /** What an outlet beside the log may show of a text: the same as a line of the log. */
  redact(text: string): string;
  /** Writes what is still pending, for at most 200 ms. */
  flush(): void;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** `auto`: journal lines if standard output is the journal, otherwise for eyes. */
  readonly format: LogFormat | 'auto';
  /** Texts that no line may show; of 3 characters or fewer: ignored. */
  readonly secrets: readonly string[];
  /** Takes each line, without its line end. Default: standard output. */
  readonly write?: (line: string) => void;
  /** Colours in the terminal format. Default: where standard output is a terminal that has them. */
  readonly colour?: boolean;
  /** Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Wall clock, milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

type PinoLevel = LogEvent['level'];

const PINO_LEVELS: Readonly<Record<LogLevel, PinoLevel>> = {
  DEBUG: 'debug',
  INFO: 'info',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'fatal',
};

/** What pino hands over: `level` and `msg` by our own options, the rest are the fields. */
interface PinoLine {
  readonly level: PinoLevel;
  readonly time: number;
  readonly msg: string;
}

export function createLogger(options: LoggerOptions): DaemonLogger {
  const { now = () => systemClock.wallMs() } = options;
  const redact = createRedactor(options.secrets);
  const format = formatterOf(options);
  const lost = (count: number): string => {
    const message = `${count} lines of the log are lost: nobody read them in time`;
    return format({ level: 'warn', timeMs: now(), message, fields: { lost: count } }, redact);
  };
  const writer = options.write === undefined ? createLineWriter({ lostLine: lost, ...reopening(options) }) : undefined;
  const write = options.write ?? ((line) => writer?.write(line));

  const toLine = (json: string): void => {
    const { level, time, msg, ...fields } = JSON.parse(json) as PinoLine & Record<string, Plain>;
    write(format({ level, timeMs: time, message: msg, fields }, redact));
  };
  const log = pino(
    {
      level: PINO_LEVELS[options.level],
      base: null,
      timestamp: () => `,"time":${now()}`,
      formatters: { level: (label) => ({ level: label }) },
      // Errors come described.
      serializers: { err: (value: unknown) => value },
    },
    { write: toLine },
  );

  const say = (level: PinoLevel) => (fields: object, message: string) => {
    if (!log.isLevelEnabled(level)) return;
    const how: DescribeOptions = {
      redact,
      longestSecret: redact.longest(),
      isSecretKey,
      // What ends the process happens once, and nobody had debug on: its stack is all there will be to go by.
      stacks: level === 'fatal' || log.isLevelEnabled('debug'),
    };
    try {
      log[level](describeFields(fields, how), describeText(message, how));
    } catch {
      // A log that throws would turn a complaint into an outage; whatever it was is not fit to print.
    }
  };
  return {
    debug: say('debug'),
    showsDebug: () => log.isLevelEnabled('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    fatal: say('fatal'),
    setLevel: (level) => {
      log.level = PINO_LEVELS[level];
    },
    addSecret: (secret) => redact.add(secret),
    redact: (text) => redact(text),
    flush: () => writer?.flush(),
  };
}

/** The journal can be stopped and come back. */
function reopening({ env = process.env }: LoggerOptions): Pick<WriterOptions, 'reopen'> {
  if (detectFormat(standardOutput(env)).format !== 'journal') return {};
  return { reopen: (onLost, opened) => openJournalStream({ onLost }, opened) };
}

function formatterOf({ format, write, colour, env = process.env }: LoggerOptions): Formatter {
  const detected = detectFormat(standardOutput(env));
  switch (format === 'auto' ? detected.format : format) {
    case 'journal':
      return formatJournal;
    case 'terminal':
      return formatTerminal(colour ?? (write === undefined && detected.colour));
    case 'json':
      return formatJson;
  }
}
