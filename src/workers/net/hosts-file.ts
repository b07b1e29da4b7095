/** What /etc/hosts says of a name: c-ares, which asks the name servers for us, does not read that file. */
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { FileMemory } from './file-memory.js';

/** More than that is no hosts file of a Raspberry Pi but a block list; what lies behind is not looked at. */
const MAX_BYTES = 256 * 1024;
/** Room for an ordinary one. */
const ORDINARY_BYTES = 4 * 1024;

/** The addresses a hosts file's text gives for a name, in its order. */
export function addressesInHosts(text: string, host: string): string[] {
  const wanted = host.toLowerCase();
  const found: string[] = [];
  for (const line of text.split('\n')) {
    const [address, ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (address === undefined || isIP(address) === 0) continue;
    if (names.some((name) => name.toLowerCase() === wanted) && !found.includes(address)) found.push(address);
  }
  return found;
}

const memory = new FileMemory<readonly string[]>();

/** Reads the file where it is another one than before, and takes one that cannot be read as empty. */
export function lookInHostsFile(path: string, host: string): readonly string[] | Promise<readonly string[]> {
  const found = memory.get(path, host, () => readHosts(path, host));
  return found instanceof Promise ? found.catch(() => []) : found;
}

async function readHosts(path: string, host: string): Promise<readonly string[]> {
  const file = await open(path, 'r');
  try {
    let { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(ORDINARY_BYTES), 0, ORDINARY_BYTES, 0);
    if (bytesRead === ORDINARY_BYTES) {
      ({ buffer, bytesRead } = await file.read(Buffer.allocUnsafe(MAX_BYTES), 0, MAX_BYTES, 0));
    }
    return addressesInHosts(buffer.toString('utf8', 0, bytesRead), host);
  } finally {
    await file.close().catch(() => undefined);
  }
}
