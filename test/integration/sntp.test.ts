/** Time servers asked over real sockets: those of the network for the time, the one of this machine for whether it follows another. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { LookupFunction } from 'node:net';
import { Refused } from '../../src/main/clock/refused.js';
import { askLocalSntp, askSntp } from '../../src/main/clock/sntp.js';
import { createLocalLookup } from '../../src/main/net/local-lookup.js';
import { NtpServer } from '../support/ntp-server.js';

const lookup = createLocalLookup({ timeoutMs: 1_000 });
const never = new AbortController().signal;

describe('a time server', () => {
  let server: NtpServer;
  before(async () => {
    server = await NtpServer.start();
  });
  after(() => server.stop());
  afterEach(() => {
    server.offsetMs = 0;
    server.silent = false;
    server.synchronised = true;
    server.reference = 'GPS\0';
  });

  const ask = (ports: readonly number[], timeoutMs = 2_000): ReturnType<typeof askSntp> =>
    askSntp({ servers: ports.map((port) => ({ host: '127.0.0.1', port })), timeoutMs, lookup, signal: never });

  for (const offsetMs of [0, 189_302_400_000, -189_302_400_000]) {
    it(`that is ${offsetMs} ms away: the offset, as exact as the way there and back`, async () => {
      server.offsetMs = offsetMs;
      const found = await ask([server.port]);
      assert.ok(typeof found === 'number' && Math.abs(found - offsetMs) < 1_000, JSON.stringify(found));
    });
  }

  it('that is closed, silent or not synchronised is passed over for the next one', async () => {
    const other = await NtpServer.start();
    const closed = await NtpServer.start();
    closed.stop();
    try {
      server.silent = true;
      assert.equal(typeof (await ask([closed.port, server.port, other.port], 200)), 'number');
      server.silent = false;
      server.synchronised = false;
      assert.equal(typeof (await ask([server.port, other.port], 200)), 'number');
      assert.equal(await ask([server.port], 200), undefined);
    } finally {
      other.stop();
    }
  });

  it('that this machine does not let us ask has not been silent', async () => {
    const noHandle: LookupFunction = (_host, _options, callback) =>
      callback(Object.assign(new Error('no handle'), { code: 'EMFILE' }), []);
    const servers = [{ host: 'time.test' }];
    const answer = await askSntp({ servers, timeoutMs: 1_000, lookup: noHandle, signal: never });
    assert.ok(answer instanceof Refused && answer.code === 'EMFILE');
    // The kernel refuses that address to whoever has not asked for it (EACCES).
    const broadcast = { servers: [{ host: '255.255.255.255' }], timeoutMs: 1_000, lookup, signal: never };
    assert.ok((await askSntp(broadcast)) instanceof Refused);
  });

  it('of this machine says whether it follows another', async () => {
    assert.equal(await askLocalSntp(server.port), true);
    server.synchronised = false;
    assert.equal(await askLocalSntp(server.port), false);
    server.synchronised = true;
    server.reference = '\x7f\x7f\x01\x01';
    assert.equal(await askLocalSntp(server.port), false, 'it goes by its own clock');
    server.reference = 'LOCL';
    assert.equal(await askLocalSntp(server.port), false);
    server.silent = true;
    assert.equal(await askLocalSntp(server.port), undefined);
  });

  it('that is not there is no answer, at once', async () => {
    const gone = await NtpServer.start();
    gone.stop();
    const startedAt = performance.now();
    assert.equal(await askLocalSntp(gone.port), undefined);
    assert.ok(performance.now() - startedAt < 400);
  });
});
