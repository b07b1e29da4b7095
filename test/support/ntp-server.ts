/** A time server (RFC 5905, mode 4), as wide as a client may ask: versions 3 and 4, with the clock of this machine moved by an offset. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const PACKET_BYTES = 48;
/** Seconds from 1900 to 1970. */
const EPOCH_SECS = 2_208_988_800;

export interface NtpServerOptions {
  /** Default 127.0.0.1. */
  readonly address?: string;
  /** Default: one that is free. */
  readonly port?: number;
}

export class NtpServer {
  /** Its clock minus this machine's, milliseconds. */
  offsetMs = 0;
  /** Requests answered or swallowed. */
  requests = 0;
  silent = false;
  /** False: its clock follows nobody, and it says so (an alarm, stratum 16). */
  synchronised = true;
  /** Reference of its clock, 4 characters. */
  reference = 'GPS\0';
  readonly #socket: Socket;

  readonly port: number;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (request, from) => {
      this.requests += 1;
      if (this.silent || request.byteLength < PACKET_BYTES || (request.readUInt8(0) & 7) !== 3) return;
      socket.send(this.#answer(request), from.port, from.address);
    });
  }

  static async start({ address = '127.0.0.1', port = 0 }: NtpServerOptions = {}): Promise<NtpServer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    socket.bind(port, address);
    await once(socket, 'listening');
    return new NtpServer(socket);
  }

  stop(): void {
    this.#socket.close();
  }

  #answer(request: Buffer): Buffer {
    const answer = Buffer.alloc(PACKET_BYTES);
    const version = (request.readUInt8(0) >> 3) & 7;
    answer.writeUInt8(((this.synchronised ? 0 : 3) << 6) | (version << 3) | 4, 0);
    answer.writeUInt8(this.synchronised ? 1 : 16, 1);
    answer.writeUInt8(request.readUInt8(2), 2);
    // A microsecond.
    answer.writeInt8(-20, 3);
    answer.writeUInt32BE(66, 8);
    answer.write(this.reference, 12, 4, 'latin1');
    const nowMs = Date.now() + this.offsetMs;
    for (const at of [16, 32, 40]) writeTime(answer, at, nowMs);
    request.copy(answer, 24, 40, 48);
    return answer;
  }
}

function writeTime(packet: Buffer, at: number, ms: number): void {
  packet.writeUInt32BE((Math.floor(ms / 1_000) + EPOCH_SECS) % 2 ** 32, at);
  packet.writeUInt32BE(Math.floor(((ms % 1_000) / 1_000) * 2 ** 32), at + 4);
}
