/** How large a packet gets through, asked of a real HTTPS site behind a line that swallows the large ones. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { FIRST_MANNER } from '../../src/workers/probe/manner.js';
import { tryPacketSizes } from '../../src/workers/probe/packet-sizes.js';
import type { PacketEvidence } from '../../src/workers/protocol.js';
import { CertificateAuthority } from '../support/certificates.js';
import { HttpsSite } from '../support/https-site.js';

const HOST = 'site.test';
/** An answer has twice that. */
const TIMEOUT_MS = 400;
/** IPv4 and TCP with timestamps: loopback hands over what a packet carries. */
const HEADERS = 52;

describe('the sizes of packets', () => {
  let ca: CertificateAuthority;
  let site: HttpsSite;
  let line: Server;
  /** A packet of more bytes is lost, and with it all that follows on its connection, which TCP would hold back. */
  let largest = Infinity;

  before(async () => {
    ca = await CertificateAuthority.create();
    site = await HttpsSite.start({ ca, names: [HOST] });
    line = createServer({ noDelay: true }, (client) => {
      const server = connect(site.port, '127.0.0.1');
      let swallowed = false;
      client.on('data', (data: Buffer) => {
        swallowed ||= data.length + HEADERS > largest;
        if (!swallowed) server.write(data);
      });
      server.pipe(client);
      for (const socket of [client, server]) socket.on('error', () => undefined);
      client.on('close', () => server.destroy());
      server.on('close', () => client.destroy());
    }).listen(0, '127.0.0.1');
    await once(line, 'listening');
  });
  after(async () => {
    line.close();
    await site.stop();
  });
  afterEach(() => site.repair());

  function sizes(bytes: number, signal = new AbortController().signal): Promise<PacketEvidence | undefined> {
    largest = bytes;
    return tryPacketSizes({
      site: { host: HOST, port: (line.address() as AddressInfo).port, ca: ca.certificatePem },
      address: '127.0.0.1',
      manner: FIRST_MANNER,
      timeoutMs: TIMEOUT_MS,
      signal,
    });
  }

  const lines: readonly (readonly [number, number, number])[] = [
    [1_492, 1_492, 1_500],
    [1_420, 1_420, 1_492],
    [1_300, 1_280, 1_400],
    [700, 576, 1_000],
  ];
  for (const [bytes, passes, lost] of lines)
    it(`a line of ${bytes} bytes: ${passes} get through, ${lost} do not`, async () => {
      const found = { phase: 'packets', ok: false, address: '127.0.0.1', passes, lost, device: 'lo' };
      assert.deepEqual(await sizes(bytes), found);
    });

  it('a whole line costs one connection and three packets', async () => {
    const { connections, requests } = site.counts;
    const found = await sizes(Infinity);
    assert.equal(found?.ok, true);
    assert.deepEqual([site.counts.connections - connections, site.counts.requests - requests], [1, 2]);
  });

  it('a loss by chance is none', async () => {
    const running = sizes(1_300);
    // Mended before it is asked for the second time.
    setTimeout(() => (largest = Infinity), TIMEOUT_MS);
    assert.equal((await running)?.ok, true);
  });

  it('nothing is said where small packets are lost too, where the site refuses large requests by closing, and when given up', async () => {
    await site.behave({ kind: 'hang', at: 'request' });
    assert.equal(await sizes(1_300), undefined);
    await site.repair();
    await site.behave({ kind: 'cut' });
    assert.equal(await sizes(Infinity), undefined);
    await site.repair();
    const abort = new AbortController();
    const running = sizes(1_300, abort.signal);
    abort.abort();
    assert.equal(await running, undefined);
  });
});
