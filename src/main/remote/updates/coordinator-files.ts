/**
 * The files through which the host's update coordinator is reached: `requests/UUID.json` to it, `status/UUID.json` from it. Each call has a
 * deadline and says what went wrong in words for a person.
 */
import { constants } from 'node:fs';
import { access, link, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

/** A request that was handed over, and whose end has not been told. */
export interface HandedOver {
  readonly requestId: string;
  /** As it was handed over; anybody may have written it who may hand over. */
  readonly text: string;
}

/** What the updates need of the host. */
export interface CoordinatorFiles {
  /** Hands a request over; resolves with why it cannot be, or undefined when it has been. Never rejects. */
  hand(requestId: string, text: string): Promise<string | undefined>;
  /** Takes a request back that nobody has finished. Never rejects. */
  withdraw(requestId: string): Promise<void>;
  /** Its end has been told. Never rejects. */
  forget(requestId: string): Promise<void>;
  /** What was handed over before this start and is not forgotten; none where nobody can say. Never rejects. */
  handedOver(): Promise<readonly HandedOver[]>;
  /** What it says of a request; undefined: nothing yet. Never rejects. */
  status(requestId: string): Promise<string | undefined>;
  /** Why nothing can be handed over; undefined: it can. Never rejects. */
  obstacle(): Promise<string | undefined>;
}

/** Deadline of each call, milliseconds: a few small files on the Pi's own card. */
const CALL_MS = 5_000;
/** Largest status that is read, bytes; a longer one is not JSON any more, and counts as not there. */
const MAX_STATUS_BYTES = 1024 * 1024;

/** Largest request, bytes; ours has some 200. */
const MAX_REQUEST_BYTES = 4_096;
/** One at a time is handed over; more are what crashes left. */
const MOST_HANDED_OVER = 16;

/** Stays beside the request until its end has been told. Neither coordinator looks at a name that does not end in `.json`. */
const noteOf = (requestId: string): string => `.${requestId}.handed-over`;
const NOTE = /^\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.handed-over$/;

const NOT_THERE = 'there is no update coordinator on this device';
const NOT_ALLOWED =
  'the update coordinator of this device does not let this service hand anything over; its README says how to allow it';

/** By errno (errno(3)); any other is named. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: NOT_THERE,
  ENOTDIR: NOT_THERE,
  EACCES: NOT_ALLOWED,
  EPERM: NOT_ALLOWED,
  EROFS: NOT_ALLOWED,
  ENOSPC: 'there is no room left on this device',
  EDQUOT: 'there is no room left on this device',
};

/** @param folder `updateCoordinatorPath`; holds `requests` and `status` */
export function coordinatorFiles(folder: string, callMs = CALL_MS): CoordinatorFiles {
  const requests = path.join(folder, 'requests');
  const statuses = path.join(folder, 'status');
  const requestFile = (requestId: string): string => path.join(requests, `${requestId}.json`);
  const statusFile = (requestId: string): string => path.join(statuses, `${requestId}.json`);
  const noteFile = (requestId: string): string => path.join(requests, noteOf(requestId));
  const accessible = async (): Promise<void> => {
    await access(requests, constants.W_OK | constants.X_OK);
    await access(statuses, constants.X_OK);
  };
  return {
    obstacle: () => obstacleOf(callMs, accessible),
    hand: (requestId, text) =>
      obstacleOf(callMs, async (signal) => {
        await accessible();
        signal.throwIfAborted();
        await publish(signal, noteFile(requestId), requestFile(requestId), text);
      }),
    withdraw: async (requestId) => {
      await obstacleOf(callMs, async () => {
        await rm(requestFile(requestId), { force: true });
        await rm(noteFile(requestId), { force: true });
      });
    },
    forget: async (requestId) => {
      await obstacleOf(callMs, () => rm(noteFile(requestId), { force: true }));
    },
    handedOver: async () => {
      const found: HandedOver[] = [];
      await obstacleOf(callMs, async () => {
        const ids = (await readdir(requests)).flatMap((name) => NOTE.exec(name)?.[1] ?? []);
        for (const requestId of ids.slice(0, MOST_HANDED_OVER)) {
          const [text, isKnown] = await Promise.all([
            readBounded(noteFile(requestId), MAX_REQUEST_BYTES).catch(() => ''),
            Promise.any([access(requestFile(requestId)), access(statusFile(requestId))]).then(
              () => true,
              () => false,
            ),
          ]);
          // A crash came before it was handed over.
          if (isKnown) found.push({ requestId, text });
          else await rm(noteFile(requestId), { force: true });
        }
      });
      return found;
    },
    status: async (requestId) => {
      let text: string | undefined;
      await obstacleOf(callMs, async () => {
        text = await readBounded(statusFile(requestId), MAX_STATUS_BYTES);
      });
      return text;
    },
  };
}

/**
 * The file is there at once and whole, and both coordinators notice it: that of January 2026 waits for a name that is created (a renamed one it
 * does not see), the later one for a file that is closed after writing. The note it is linked from stays.
 */
async function publish(signal: AbortSignal, note: string, file: string, text: string): Promise<void> {
  const handle = await open(note, 'wx', 0o644);
  try {
    try {
      // The unit's umask would keep it from anybody but root.
      await handle.chmod(0o644);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Whoever has been told that it did not go must not see it go later.
    signal.throwIfAborted();
    await link(note, file);
  } catch (error) {
    await rm(note, { force: true });
    throw error;
  }
  await (await open(file, 'r+')).close();
}

async function readBounded(file: string, maxBytes: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Why its files cannot be used. */
export function obstacleInWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
  return WORDS[code] ?? `the files of the update coordinator cannot be used (${code})`;
}

function obstacleOf(ms: number, work: (signal: AbortSignal) => Promise<void>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      abort.abort();
      resolve(`the files of the update coordinator did not answer within ${ms / 1_000} s`);
    }, ms);
    work(abort.signal).then(
      () => {
        clearTimeout(timer);
        resolve(undefined);
      },
      (error: unknown) => {
        clearTimeout(timer);
        resolve(obstacleInWords(error));
      },
    );
  });
}
