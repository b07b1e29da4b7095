import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';

/** Room for this many connections (and one) in the queue of what nobody accepts. */
const BACKLOG = 1;
/** More than the queue takes, so that it is full. */
const FILL = BACKLOG + 6;

const PROGRAM = `
const server = require('node:net').createServer();
server.listen({ host: '127.0.0.1', port: 0, backlog: ${BACKLOG} }, () => console.log(server.address().port));
`;

/**
 * A TCP port on loopback that never answers a connect: the kernel drops the SYN, since the queue of the process that
 * listens is full and that process is stopped. No root, no firewall.
 */
export class SilentPort {
  private constructor(
    readonly port: number,
    private readonly end: () => Promise<void>,
  ) {}

  static async open(): Promise<SilentPort> {
    const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = once(child, 'exit');
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    child.kill('SIGSTOP');
    const port = Number(line);
    const sockets = Array.from({ length: FILL }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
    const end = async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
      await exited;
    };
    try {
      // A connection that stands was queued before the next was looked at; when the queue is full no further one comes to stand.
      const standing = sockets.map((socket) => once(socket, 'connect'));
      await Promise.race([
        Promise.all(standing.slice(0, BACKLOG + 1)),
        once(child, 'exit').then(() => {
          throw new Error('the process that listens ended');
        }),
      ]);
    } catch (error) {
      await end();
      throw error;
    }
    return new SilentPort(port, end);
  }

  /** `ADDRESS:PORT`, as a testDomain. */
  get hostAndPort(): string {
    return `127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    await this.end();
  }
}
