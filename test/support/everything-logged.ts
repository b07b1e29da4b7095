/**
 * Where a run of the tests gathers every line that anything logged and every secret that anything issued, so that at its end one can be
 * searched for the other (test/secrets). Without the environment's TEST_GATHER_DIR, as when one file is run by hand, nothing is gathered.
 *
 * Who starts a process of the daemon calls {@link gatherLine} or {@link gatherFrom} with its output; who hands the code under test a log of
 * its own wraps it in {@link gathered}; who issues a token or makes up a password calls {@link registerSecret}.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Logger, Say } from '../../src/main/base/logger.js';
import { createLogger } from '../../src/main/log.js';

/** Names the folder of one group of tests. */
export const GATHER_DIR = 'TEST_GATHER_DIR';
/** Ends of the file names: lines that were logged; secrets, as one JSON text a line. */
export const LOG_FILE = '.log';
export const SECRETS_FILE = '.secrets';

/** Shorter ones, such as the password `x`, stand in innocent lines as well. */
export const SHORTEST_SECRET = 6;

const folder = process.env[GATHER_DIR];
const files = new Map<string, number>();
let streams = 0;

/** One or more lines that were logged. @param from who logged them, such as `daemon`; a file's name */
export function gatherLine(from: string, text: string): void {
  append(from, LOG_FILE, `${text}\n`);
}

/** Everything that a process writes to this stream, until it ends. Attach it in the same turn as other readers. */
export function gatherFrom(from: string, stream: Readable): void {
  if (folder === undefined) return;
  streams += 1;
  const file = `${from}-${streams}`;
  stream.on('data', (chunk: Buffer | string) => append(file, LOG_FILE, chunk.toString()));
  stream.once('close', () => close(file, LOG_FILE));
}

/** Something that must never be seen in a log. */
export function registerSecret(secret: string): void {
  if (secret.length >= SHORTEST_SECRET) append('issued', SECRETS_FILE, `${JSON.stringify(secret)}\n`);
}

/** The same log; what it is given is also gathered, as the daemon's own log writes it at debug level with no secret registered. */
export function gathered<L extends Logger>(log: L): L {
  if (folder === undefined) return log;
  const line = { ...log, showsDebug: () => true };
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    line[level] = (fields, message) => {
      gatherEvent(level, fields, message);
      log[level](fields, message);
    };
  }
  return line;
}

/** One event of an in-process log, as the daemon's own log writes it. */
export function gatherEvent(level: Say, fields: object, message: string): void {
  if (folder === undefined) return;
  writer ??= createLogger({
    level: 'DEBUG',
    format: 'json',
    secrets: [],
    write: (line) => gatherLine('in-process', line),
  });
  writer[level](fields, message);
}
let writer: Logger | undefined;

function append(from: string, kind: string, text: string): void {
  if (folder === undefined) return;
  const name = nameOf(from, kind);
  let fd = files.get(name);
  if (fd === undefined) {
    mkdirSync(folder, { recursive: true });
    fd = openSync(path.join(folder, name), 'a');
    files.set(name, fd);
  }
  writeSync(fd, text);
}

function close(from: string, kind: string): void {
  const name = nameOf(from, kind);
  const fd = files.get(name);
  files.delete(name);
  if (fd !== undefined) closeSync(fd);
}

function nameOf(from: string, kind: string): string {
  return `${process.pid}-${from}${kind}`;
}
