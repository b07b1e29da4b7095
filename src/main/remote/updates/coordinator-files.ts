/**
 * The files through which the host's update coordinator is reached: `requests/UUID.json` to it, `status/UUID.json` from it. Each call has a
 * deadline and says what went wrong in words for a person.
 */
import { constants } from 'node:fs';
import { access, link, open, rm } from 'node:fs/promises';
import path from 'node:path';

/** What the updates need of the host. */
export interface CoordinatorFiles {
  /** Hands a request over; resolves with why it cannot be, or undefined when it has been. Never rejects. */
  hand(requestId: string, text: string): Promise<string | undefined>;
  /** Takes a request back that nobody has finished. Never rejects. */
  withdraw(requestId: string): Promise<void>;
  /** What it says of a request; undefined: nothing yet. Never rejects. */
  status(requestId: string): Promise<string | undefined>;
  /** Why nothing can be handed over; undefined: it can. Never rejects. */
  obstacle(): Promise<string | undefined>;
}

/** Deadline of each call, milliseconds: a few small files on the Pi's own card. */
const CALL_MS = 5_000;
/** Largest status that is read, bytes; a longer one is not JSON any more, and counts as not there. */
const MAX_STATUS_BYTES = 1024 * 1024;

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
        await publish(signal, path.join(requests, `.${requestId}.tmp`), requestFile(requestId), text);
      }),
    withdraw: async (requestId) => {
      await obstacleOf(callMs, () => rm(requestFile(requestId), { force: true }));
    },
    status: async (requestId) => {
      let text: string | undefined;
      await obstacleOf(callMs, async () => {
        text = await readBounded(path.join(statuses, `${requestId}.json`));
      });
      return text;
    },
  };
}

/**
 * The file is there at once and whole, and both coordinators notice it: that of January 2026 waits for a name that is created (a renamed one it
 * does not see), the later one for a file that is closed after writing.
 */
async function publish(signal: AbortSignal, draft: string, file: string, text: string): Promise<void> {
  try {
    const handle = await open(draft, 'wx', 0o644);
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
    await link(draft, file);
    await (await open(file, 'r+')).close();
  } finally {
    await rm(draft, { force: true });
  }
}

async function readBounded(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MAX_STATUS_BYTES), 0, MAX_STATUS_BYTES, 0);
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
