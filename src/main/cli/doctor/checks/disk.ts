/** Room on the card, and whether anything may be written to it. */
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';
import type { Space } from '../system.js';

/** The card, and where the service keeps what outlives it. */
const FOLDERS = ['/', '/var/lib'] as const;
const MEGABYTE = 1 << 20;
const LITTLE_BYTES = 100 * MEGABYTE;
/** Less is nothing: a file system keeps some for root. */
const NONE_BYTES = MEGABYTE;
const FEW_FILES = 1_000;

export class DiskCheck implements Check {
  readonly id = 'disk';
  readonly area = 'machine';
  readonly title = 'card';
  readonly withinMs = 2_000;

  async run({ system }: Facts): Promise<Finding> {
    const [mounts = '', ...spaces] = await Promise.all([
      system.read('/proc/self/mounts'),
      ...FOLDERS.map((folder) => system.space(folder)),
    ]);
    return judge(
      FOLDERS.flatMap((folder, i) => {
        const space = spaces[i];
        return space === undefined ? [] : [{ folder, ...space, readOnly: isReadOnly(mounts, folder) }];
      }),
    );
  }
}

type Place = Space & { readonly folder: string; readonly readOnly: boolean };

function judge(places: readonly Place[]): Finding {
  const [root] = places;
  if (root === undefined) return skip('the kernel does not say');
  const named = ({ folder, freeBytes }: Place): string => `${sizeOf(freeBytes)} free at ${folder}`;
  const readOnly = places.find((place) => place.readOnly);
  if (readOnly !== undefined) return warn('disk-read-only', `${readOnly.folder} is read-only`);
  const full = places.find(({ freeBytes, freeFiles = 1 }) => freeBytes < NONE_BYTES || freeFiles === 0);
  if (full !== undefined)
    return fail('disk-full', full.freeFiles === 0 ? `no more files at ${full.folder}` : named(full));
  const short = places.find(({ freeBytes }) => freeBytes < LITTLE_BYTES);
  if (short !== undefined) return warn('disk-full', named(short));
  const few = places.find(({ freeFiles = Infinity }) => freeFiles < FEW_FILES);
  if (few !== undefined) return warn('disk-full', `only ${few.freeFiles ?? 0} more files at ${few.folder}`);
  return pass(`${sizeOf(root.freeBytes)} of ${sizeOf(root.totalBytes)} free`);
}

function sizeOf(bytes: number): string {
  return bytes < 1e10 ? `${Math.round(bytes / 1e6)} MB` : `${Math.round(bytes / 1e9)} GB`;
}

/** By the mount that holds it, the last one of several at the same place (proc_pid_mounts(5)). */
export function isReadOnly(mounts: string, folder: string): boolean {
  let best = { length: 0, readOnly: false };
  for (const line of mounts.split('\n')) {
    const [, at = '', , options = ''] = line.split(' ');
    const holds = at === '/' || folder === at || folder.startsWith(`${at}/`);
    if (at !== '' && holds && at.length >= best.length)
      best = { length: at.length, readOnly: options.split(',').includes('ro') };
  }
  return best.readOnly;
}
