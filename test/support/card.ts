/**
 * A small card: a file system (ext4) on a loop device, which can lose its power, die, fill up and turn read-only. Needs root.
 *
 * A power cut is an instant copy (a reflink) of the device's file, taken while everybody goes on writing: what had reached the device at
 * one moment, and nothing of what was only in memory. The next mount replays the file system's log, as after a real cut. ext4's own
 * shutdown, as xfstests imitates one, would not do: it calls a last fdatasync(2) done that is not (with a bare loop of write and
 * fdatasync, in 6 of 120 cuts on Linux 6.18). Not imitated: a card that loses what it had called written.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Of any one command, milliseconds. */
const COMMAND_MS = 30_000;
const SIZE_BYTES = 16 << 20;
/** The least that mkfs.xfs takes is 300 MB; the file is sparse. */
const SHELF_BYTES = 400 << 20;

export class Card {
  /** Where it is mounted. */
  readonly path: string;
  readonly #folder: string;
  /** A file system that can copy a file in an instant (XFS); the device's file is on it. */
  readonly #shelf: string;
  readonly #image: string;
  readonly #afterCut: string;
  readonly #filler: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#shelf = path.join(folder, 'shelf');
    this.#image = path.join(this.#shelf, 'card.img');
    this.#afterCut = path.join(this.#shelf, 'cut.img');
    this.path = path.join(folder, 'card');
    this.#filler = path.join(this.path, 'filler');
  }

  static async make(): Promise<Card> {
    const card = new Card(await mkdtemp(path.join(tmpdir(), 'card-')));
    await mkdir(card.path);
    await mkdir(card.#shelf);
    const shelfImage = path.join(card.#folder, 'shelf.img');
    await sparse(shelfImage, SHELF_BYTES);
    await command('mkfs.xfs', '-q', '-m', 'reflink=1', shelfImage);
    await command('mount', '-o', 'loop', shelfImage, card.#shelf);
    await sparse(card.#image, SIZE_BYTES);
    await command('mkfs.ext4', '-q', '-m', '0', card.#image);
    await card.#mount();
    return card;
  }

  /** Its power goes. Whoever writes does not notice: from now on all of that is in vain. Before {@link powerUp} they have to end. */
  async cutPower(): Promise<void> {
    await command('cp', '--reflink=always', this.#image, this.#afterCut);
  }

  /** Mounted again as {@link cutPower} left it, or as it is. Nobody may have a file of it open any more. */
  async powerUp(): Promise<void> {
    await command('umount', this.path);
    await rename(this.#afterCut, this.#image).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    await this.#mount();
  }

  /** Every call says EIO, until {@link powerUp}. */
  async die(): Promise<void> {
    await command('xfs_io', '-x', '-c', 'shutdown', this.path);
  }

  /** Not one block is left. */
  async fill(): Promise<void> {
    // dd says ENOSPC at the end, and has filled it.
    await command('dd', 'if=/dev/zero', `of=${this.#filler}`, 'bs=4k', 'conv=fsync').catch(() => undefined);
  }

  async makeRoom(): Promise<void> {
    await rm(this.#filler);
  }

  /** The kernel finds a fault in the file system and makes it read-only, under open files, too; until {@link powerUp}. */
  async turnReadOnly(): Promise<void> {
    const loop = path.basename((await command('losetup', '-n', '-O', 'NAME', '-j', this.#image)).trim());
    await writeFile(`/sys/fs/ext4/${loop}/trigger_fs_error`, '1');
  }

  async remove(): Promise<void> {
    await command('umount', '-l', this.path).catch(() => undefined);
    await command('umount', '-l', this.#shelf).catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #mount(): Promise<void> {
    await command('mount', '-o', 'loop,errors=remount-ro', this.#image, this.path);
  }
}

async function sparse(file: string, bytes: number): Promise<void> {
  await writeFile(file, '');
  await truncate(file, bytes);
}

async function command(name: string, ...args: readonly string[]): Promise<string> {
  return (await run(name, args, { timeout: COMMAND_MS })).stdout;
}
