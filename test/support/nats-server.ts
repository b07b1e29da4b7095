/**
 * A real nats-server on loopback, on a port of its own that it keeps over kill and restart.
 * Needs Debian's package `nats-server` (or `nats-server` on the PATH).
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { freePort } from './free-port.js';
import { happens } from './ends.js';

/** Deadline of a start, milliseconds. */
const START_TIMEOUT_MS = 20_000;

export class NatsServerMissingError extends Error {
  readonly code = 'ERR_NATS_SERVER_MISSING';
  constructor() {
    super('nats-server is not installed: apt-get install nats-server');
    this.name = 'NatsServerMissingError';
  }
}

/** Where the binary is; undefined: not installed. */
export function findNatsServer(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'nats-server'))
    .find((file) => existsSync(file));
}

export interface NatsServerOptions {
  /** Further arguments, such as `--user`. */
  readonly args?: readonly string[];
  /** Reserve the port and start later, with `start()`. */
  readonly absent?: boolean;
}

export class NatsServer {
  #process: ChildProcess | undefined;

  private constructor(
    private readonly binary: string,
    readonly port: number,
    private readonly args: readonly string[],
  ) {}

  /** Resolves once it takes connections. Rejects with {@link NatsServerMissingError} if there is no such program. */
  static async create(options: NatsServerOptions = {}): Promise<NatsServer> {
    const binary = findNatsServer();
    if (binary === undefined) throw new NatsServerMissingError();
    const server = new NatsServer(binary, await freePort(), options.args ?? []);
    if (options.absent !== true) await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Starts it on its port. Resolves once it takes connections. */
  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const deadline = Date.now() + START_TIMEOUT_MS;
    let said = '';
    while (Date.now() < deadline) {
      const child = spawn(this.binary, ['--addr', '127.0.0.1', '--port', String(this.port), ...this.args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4000);
      });
      this.#process = child;
      while (isAlive(child) && Date.now() < deadline) {
        if (await answers(this.port)) return;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      // Somebody may have had the port for a moment; it is tried again until the deadline.
      await this.kill();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`nats-server did not start on port ${this.port}: ${said}`);
  }

  /** SIGKILL: no farewell to the clients. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** SIGTERM. */
  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** SIGSTOP: the sockets stay open, and nobody answers. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    if (!isAlive(child)) return;
    const ended = happens(child, 'exit', 'the end of nats-server');
    child.kill(signal);
    child.kill('SIGCONT');
    await ended;
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** True if a server of NATS greets there. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(1_000, () => end(false));
    socket.once('data', (data) => end(data.toString().startsWith('INFO')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
