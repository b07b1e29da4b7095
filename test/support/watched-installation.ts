/** An installation with a page, and thirty days behind it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port.js';
import { Installation } from './installation.js';
import { makePast } from './past.js';

export interface WatchedInstallation {
  readonly site: Installation;
  readonly port: number;
  /** The daemon's state directory. */
  readonly directory: string;
  readonly socket: string;
  readonly stop: () => Promise<void>;
}

/** Resolves when the daemon is connected and the page is open. `env`: more settings; `nodeArgs`: options of its Node. */
export async function startWatched(
  env: Readonly<Record<string, string>> = {},
  nodeArgs: readonly string[] = [],
): Promise<WatchedInstallation> {
  const directory = await mkdtemp(path.join(tmpdir(), 'watched-'));
  const socket = path.join(directory, 'control.sock');
  const port = await freePort();
  await makePast(directory, Date.now());
  const site = await Installation.create({
    nodeArgs,
    env: {
      DUNEBUGGER_STATUS_CONTROL_SOCKET: socket,
      DUNEBUGGER_STATUS_STATUS_PAGE: 'True',
      DUNEBUGGER_STATUS_STATUS_PORT: String(port),
      STATE_DIRECTORY: directory,
      ...env,
    },
  });
  const stop = async (): Promise<void> => {
    await site.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await site.startConnected();
    await site.daemon.waitForLine(/The status page is open to this machine alone/);
  } catch (error) {
    await stop();
    throw error;
  }
  return { site, port, directory, socket, stop };
}
