/** The end of a process and other events, with a deadline and words: a test that waits for what has happened, or never will, fails by itself. */
import type { ChildProcess } from 'node:child_process';
import { once, type EventEmitter } from 'node:events';
import type { Exit } from './cli-process.js';

/** Far more than any of them needs, so that a slow machine fails nothing. */
const PATIENCE_MS = 60_000;

/** Resolves when the process has ended and what it wrote has been read; at once, if that has been. Rejects at the deadline. */
export async function endOf(child: ChildProcess, what: string, timeoutMs = PATIENCE_MS): Promise<Exit> {
  const { exitCode, signalCode, stdout, stderr } = child;
  const ended = exitCode !== null || signalCode !== null;
  const read = [stdout, stderr].every((stream) => stream === null || stream.destroyed || stream.readableEnded);
  if (!ended || !read) await happens(child, 'close', `the end of ${what}`, timeoutMs);
  return { code: child.exitCode, signal: child.signalCode };
}

/** What the event carries. Rejects at the deadline, and by `error`, as `once` does. */
export async function happens(
  emitter: EventEmitter,
  event: string,
  what: string,
  timeoutMs = PATIENCE_MS,
): Promise<readonly unknown[]> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    return (await once(emitter, event, { signal: deadline.signal })) as readonly unknown[];
  } catch (error) {
    if (deadline.signal.aborted) throw new Error(`waited ${timeoutMs} ms for ${what}`, { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
