/** The control socket: a Unix stream socket that only its group may open. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { describeError } from '../base/guard.js';
import type { ControlAddress } from './control-address.js';
import { OutletServer, type OutletServerOptions } from './http/server.js';

/** Whoever holds the path answers within this time, or nobody does, milliseconds. */
const TAKEN_MS = 500;
const MODE = 0o660;

export class ControlServer {
  readonly #options: OutletServerOptions;
  readonly #server: OutletServer;

  constructor(options: OutletServerOptions) {
    this.#options = options;
    this.#server = new OutletServer(options);
  }

  /** Resolves when it listens, or when it is told in the log that it cannot. Never rejects. */
  async listen(address: ControlAddress): Promise<void> {
    try {
      if (address.kind === 'handed-over') await this.#server.listenOn({ fd: address.fd });
      else if (address.kind === 'path') await this.#listenAt(address.path);
    } catch (error) {
      this.#options.log.warn(
        { ...address, error: describeError(error) },
        'No control socket, so `dunebugger-remote status` cannot ask this service; everything else goes on.',
      );
    }
  }

  /** Ends every connection. Resolves when nothing is left. */
  close(): Promise<void> {
    return this.#server.close();
  }

  async #listenAt(path: string): Promise<void> {
    try {
      await this.#server.listenOn({ path });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await removeDead(path);
      await this.#server.listenOn({ path });
    }
    await chmod(path, MODE);
  }
}

/** What a process left that was ended at once. @throws {Error} if somebody answers there, or if it is no socket */
async function removeDead(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket())
    throw new Error(`${path} is there and is no socket: remove it, or set [Status] controlSocket`);
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    const done = (answers: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answers);
    };
    // Somebody who does not even accept is there all the same.
    const timer = setTimeout(() => done(true), TAKEN_MS);
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code !== 'ECONNREFUSED'));
  });
  if (answered) throw new Error(`another service answers at ${path}: stop it, or set [Status] controlSocket`);
  await unlink(path);
}
