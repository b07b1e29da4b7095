/**
 * A look at `/etc/resolv.conf` before c-ares reads it, which does so with every new resolver, synchronously and to the end: a pipe or a device in its place
 * would hang the thread, and a missing file or an empty one is worth being named.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { FileMemory } from './file-memory.js';
import type { ResolvConfTrouble } from './name-answers.js';

/** An ordinary one has some hundred bytes. */
const MAX_BYTES = 64 * 1024;
const ORDINARY_BYTES = 4 * 1024;

const memory = new FileMemory<ResolvConfTrouble | undefined>();

/** Undefined: nothing is wrong with it. Never rejects, never waits for a writer. Read where it is another file than before. */
export function lookAtResolvConf(path: string): ResolvConfTrouble | undefined | Promise<ResolvConfTrouble | undefined> {
  const found = memory.get(path, '', () => readResolvConf(path));
  return found instanceof Promise ? found.catch(troubleBy) : found;
}

async function readResolvConf(path: string): Promise<ResolvConfTrouble | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > MAX_BYTES) return 'resolv-conf-endless';
    let { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(ORDINARY_BYTES), 0, ORDINARY_BYTES, 0);
    if (bytesRead === ORDINARY_BYTES) {
      ({ buffer, bytesRead } = await file.read(Buffer.allocUnsafe(MAX_BYTES), 0, MAX_BYTES, 0));
    }
    const text = buffer.toString('utf8', 0, bytesRead);
    const servers = [...text.matchAll(/^[ \t]*nameserver[ \t]+([^\s%]+)/gm)].filter(
      ([, server = '']) => isIP(server) !== 0,
    );
    return servers.length > 0 ? undefined : 'resolv-conf-empty';
  } finally {
    await file.close().catch(() => undefined);
  }
}

function troubleBy(error: unknown): ResolvConfTrouble | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // Not the file's fault, and it passes.
  if (code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM') return undefined;
  return code === 'ENOENT' ? 'resolv-conf-missing' : 'resolv-conf-unreadable';
}
