/** A stream of our own to a stand-in of journald, which comes, goes and does not read. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openJournalStream } from '../../src/main/log/journal-stream.js';
import type { Sink } from '../../src/main/log/writer.js';
import { until } from '../support/until.js';

describe('a stream to the journal', () => {
  let folder: string;
  let path: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'journal-'));
    path = join(folder, 'stdout');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function journald(onSocket: (socket: Socket) => void): Promise<Server> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      onSocket(socket);
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return server;
  }
  const open = (onLost: () => void = () => undefined): Promise<Sink | undefined> =>
    new Promise((resolve) => openJournalStream({ path, onLost }, resolve));

  it('is not there where journald is not', async () => assert.equal(await open(), undefined));

  it('says who we are and then the lines; when it ends, whoever writes is told', async () => {
    let text = '';
    let peer: Socket | undefined;
    const server = await journald((socket) => {
      peer = socket;
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    });
    const sink = await open();
    assert.ok(sink !== undefined);
    const line = Buffer.from('<6>a line\n');
    assert.equal(sink(line, 0), line.length);
    await until(() => text.endsWith('a line\n'), 'the line');
    assert.equal(text, 'dunebugger-remote\n\n6\n1\n0\n0\n0\n<6>a line\n');
    server.close();
    peer?.destroy();
    const isOver = (): boolean => {
      try {
        sink(line, 0);
        return false;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EPIPE';
      }
    };
    await until(isOver, 'EPIPE');
  });

  it('is full where journald does not read, and tells of each line that it had taken in vain', async () => {
    let peer: Socket | undefined;
    let lost = 0;
    const server = await journald((socket) => {
      peer = socket;
      socket.pause();
    });
    const sink = await open(() => (lost += 1));
    assert.ok(sink !== undefined);
    const line = Buffer.alloc(16_384, 'x');
    let taken = 0;
    try {
      for (; taken < 10_000; taken += 1) sink(line, 0);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    }
    assert.ok(taken > 0 && taken < 10_000, String(taken));
    await until(() => peer !== undefined, 'a connection');
    server.close();
    peer?.destroy();
    await until(() => lost > 0, 'the lost lines');
    assert.ok(lost <= taken);
  });
});
