import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import dnsPacket from 'dns-packet';
import type { Answer } from 'dns-packet';
import { createLookup } from '../../src/main/net/lookup.js';
import { addressesInHosts, lookInHostsFile } from '../../src/workers/net/hosts-file.js';
import { resolveHost, usableFamilies } from '../../src/workers/net/resolve.js';

type Reply =
  'silent' | { readonly rcode: number } | { readonly addresses: readonly string[]; readonly delayMs?: number };

/** A name server that answers by a table of two: what it says to A and to AAAA. */
class TinyNameServer {
  readonly asked: string[] = [];
  replies: { A: Reply; AAAA: Reply } = { A: { addresses: ['192.0.2.1'] }, AAAA: { addresses: [] } };
  private constructor(private readonly socket: Socket) {
    socket.on('message', (datagram, from) => {
      const query = dnsPacket.decode(datagram);
      const question = query.questions?.[0];
      if (question === undefined || (question.type !== 'A' && question.type !== 'AAAA')) return;
      const { type, name } = question;
      this.asked.push(type);
      const reply = this.replies[type];
      if (reply === 'silent') return;
      const answers: Answer[] =
        'addresses' in reply ? reply.addresses.map((data) => ({ type, name, ttl: 1, data })) : [];
      const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | ('rcode' in reply ? reply.rcode : 0);
      const packet = dnsPacket.encode({ type: 'response', id: query.id ?? 0, flags, questions: [question], answers });
      const send = (): void => socket.send(packet, from.port, from.address);
      if ('delayMs' in reply) setTimeout(send, reply.delayMs).unref();
      else send();
    });
  }
  static async start(): Promise<TinyNameServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    socket.unref();
    return new TinyNameServer(socket);
  }
  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }
}

const both = { v4: true, v6: true };
const NXDOMAIN = { rcode: 3 };
const SERVFAIL = { rcode: 2 };
const REFUSED = { rcode: 5 };

describe('resolving a name', () => {
  it('finds A and AAAA together, IPv6 first and by turns', async () => {
    const server = await TinyNameServer.start();
    server.replies = {
      A: { addresses: ['192.0.2.1', '192.0.2.2'] },
      AAAA: { addresses: ['2001:db8::1', '2001:db8::2'] },
    };
    const evidence = await resolveHost({
      host: 'site.test',
      timeoutMs: 2000,
      nameServers: [server.address],
      families: both,
    });
    assert.deepEqual(evidence.addresses, ['2001:db8::1', '192.0.2.1', '2001:db8::2', '192.0.2.2']);
    assert.deepEqual(evidence.servers, [server.address]);
    assert.equal(evidence.ok, true);
    assert.deepEqual([...server.asked].sort(), ['A', 'AAAA']);
  });

  it('does not wait for a record type that is late, and does not ask for one that is of no use', async () => {
    const server = await TinyNameServer.start();
    server.replies = { A: { addresses: ['192.0.2.1'] }, AAAA: 'silent' };
    const evidence = await resolveHost({
      host: 'site.test',
      timeoutMs: 5000,
      nameServers: [server.address],
      families: both,
    });
    assert.deepEqual(evidence.addresses, ['192.0.2.1']);
    assert.ok(evidence.ms < 2000, `took ${evidence.ms} ms`);
    server.asked.length = 0;
    await resolveHost({
      host: 'site.test',
      timeoutMs: 5000,
      nameServers: [server.address],
      families: { v4: true, v6: false },
    });
    assert.deepEqual(server.asked, ['A']);
  });

  it('gives up exactly at the deadline when the only server is silent, after asking it twice', async () => {
    const server = await TinyNameServer.start();
    server.replies = { A: 'silent', AAAA: 'silent' };
    const startedAt = performance.now();
    const evidence = await resolveHost({
      host: 'site.test',
      timeoutMs: 400,
      nameServers: [server.address],
      families: both,
    });
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs >= 395 && tookMs < 1000, `took ${tookMs} ms`);
    assert.equal(evidence.error, 'ETIMEOUT');
    assert.equal(evidence.trouble, 'silent');
    assert.deepEqual([...server.asked].sort(), ['A', 'A', 'AAAA', 'AAAA']);
  });

  it('asks the second server within the deadline when the first is silent', async () => {
    const [silent, good] = [await TinyNameServer.start(), await TinyNameServer.start()];
    silent.replies = { A: 'silent', AAAA: 'silent' };
    const evidence = await resolveHost({
      host: 'site.test',
      timeoutMs: 3000,
      nameServers: [silent.address, good.address],
      families: both,
    });
    assert.deepEqual(evidence.addresses, ['192.0.2.1']);
  });

  it('goes to the second server at once when the first serves nobody', async () => {
    const [refusing, good] = [await TinyNameServer.start(), await TinyNameServer.start()];
    refusing.replies = { A: REFUSED, AAAA: SERVFAIL };
    const evidence = await resolveHost({
      host: 'site.test',
      timeoutMs: 20_000,
      nameServers: [refusing.address, good.address],
      families: both,
    });
    assert.deepEqual(evidence.addresses, ['192.0.2.1']);
    assert.ok(evidence.ms < 5000, `took ${evidence.ms} ms`);
  });

  it('takes an answer that comes late, but within the deadline', async () => {
    const server = await TinyNameServer.start();
    server.replies = { A: { addresses: ['192.0.2.7'], delayMs: 700 }, AAAA: { addresses: [], delayMs: 700 } };
    const evidence = await resolveHost({
      host: 'site.test',
      timeoutMs: 1000,
      nameServers: [server.address],
      families: both,
    });
    assert.deepEqual(evidence.addresses, ['192.0.2.7']);
  });

  for (const [name, reply, error] of [
    ['NXDOMAIN', NXDOMAIN, 'ENOTFOUND'],
    ['SERVFAIL', SERVFAIL, 'ESERVFAIL'],
    ['REFUSED', REFUSED, 'EREFUSED'],
    ['an answer without an address', { addresses: [] }, 'ENODATA'],
  ] as const) {
    it(`says dns-failed at once for ${name}`, async () => {
      const server = await TinyNameServer.start();
      server.replies = { A: reply, AAAA: reply };
      const evidence = await resolveHost({
        host: 'site.test',
        timeoutMs: 20_000,
        nameServers: [server.address],
        families: both,
      });
      assert.equal(evidence.error, error);
      assert.ok(evidence.ms < 5000, `took ${evidence.ms} ms`);
    });
  }

  it('says dns-failed at once when nothing listens where the name server should be', async () => {
    const evidence = await resolveHost({ host: 'site.test', timeoutMs: 20_000, nameServers: ['127.0.0.1:1'] });
    assert.equal(evidence.error, 'ECONNREFUSED');
    assert.equal(evidence.trouble, 'own-server-away');
  });

  it('needs no query for an IP literal, for localhost, and for what the hosts file says', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hosts-'));
    const hostsFile = join(directory, 'hosts');
    await writeFile(hostsFile, '# none\n127.0.0.9 Site.test site # 1\n2001:db8::9\tsite.test\nbroken line\n');
    const ask = (host: string) => resolveHost({ host, timeoutMs: 1000, nameServers: ['127.0.0.1:1'], hostsFile });
    assert.deepEqual((await ask('192.0.2.3')).addresses, ['192.0.2.3']);
    assert.deepEqual((await ask('2001:db8::3')).addresses, ['2001:db8::3']);
    assert.deepEqual((await ask('localhost')).addresses, ['127.0.0.1', '::1']);
    assert.deepEqual((await ask('site.TEST')).addresses, ['127.0.0.9', '2001:db8::9']);
    assert.deepEqual((await ask('site.TEST')).servers, []);
    await rm(directory, { recursive: true });
  });

  it('never rejects: a name server that is no address is evidence', async () => {
    const evidence = await resolveHost({ host: 'site.test', timeoutMs: 1000, nameServers: ['nonsense'] });
    assert.deepEqual([evidence.ok, evidence.trouble], [false, 'fails-otherwise']);
  });

  it('gives up at once when asked to', async () => {
    const server = await TinyNameServer.start();
    server.replies = { A: 'silent', AAAA: 'silent' };
    const abort = new AbortController();
    const running = resolveHost({
      host: 'site.test',
      timeoutMs: 20_000,
      nameServers: [server.address],
      signal: abort.signal,
    });
    abort.abort();
    assert.equal((await running).error, 'ECANCELLED');
  });
});

describe('which families are worth a query', () => {
  const info = (address: string, family: 'IPv4' | 'IPv6', internal = false) =>
    ({ address, family, internal, netmask: '', mac: '', cidr: null, scopeid: 0 }) as never;
  it('goes by the addresses of the machine', () => {
    assert.deepEqual(usableFamilies({ eth0: [info('192.168.1.2', 'IPv4'), info('fe80::1', 'IPv6')] }), {
      v4: true,
      v6: false,
    });
    assert.deepEqual(usableFamilies({ eth0: [info('169.254.1.2', 'IPv4'), info('2001:db8::1', 'IPv6')] }), {
      v4: false,
      v6: true,
    });
    assert.deepEqual(usableFamilies({ lo: [info('127.0.0.1', 'IPv4', true)] }), both);
  });
});

describe('the hosts file', () => {
  it('is read as the C library does: comments, aliases, no case', () => {
    assert.deepEqual(addressesInHosts('1.2.3.4 a b # c\n#5.6.7.8 a\n1.2.3.4 a\n::1 A', 'a'), ['1.2.3.4', '::1']);
    assert.deepEqual(addressesInHosts('1.2.3.4 a b # c', 'c'), []);
  });

  it('is read to its end where it is a long one', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hosts-'));
    const file = join(directory, 'hosts');
    for (const length of [4_095, 4_096, 4_097, 100_000]) {
      const last = '\n192.0.2.7 last.test';
      await writeFile(file, `${'#'.repeat(length - last.length)}${last}`);
      assert.deepEqual(await lookInHostsFile(file, 'last.test'), ['192.0.2.7'], `${length} bytes`);
    }
    await rm(directory, { recursive: true });
  });
});

describe('the look-up of the main thread', () => {
  type Result = { readonly code: string | undefined; readonly address: unknown; readonly family: number | undefined };
  const call = (lookup: ReturnType<typeof createLookup>, host: string, options = {}): Promise<Result> =>
    new Promise((resolve) => {
      lookup(host, options, (error, address, family) => resolve({ code: error?.code, address, family }));
    });

  it('honours all, family and the order', async () => {
    const server = await TinyNameServer.start();
    server.replies = { A: { addresses: ['192.0.2.1'] }, AAAA: { addresses: ['2001:db8::1'] } };
    const lookup = createLookup({ timeoutMs: 2000, nameServers: [server.address] });
    assert.deepEqual((await call(lookup, 'site.test', { family: 4, all: true })).address, [
      { address: '192.0.2.1', family: 4 },
    ]);
    const six = await call(lookup, 'site.test', { family: 6 });
    assert.deepEqual([six.address, six.family], ['2001:db8::1', 6]);
    assert.equal((await call(lookup, 'localhost', { order: 'ipv6first' })).address, '::1');
    assert.equal((await call(lookup, 'localhost', { verbatim: false })).address, '127.0.0.1');
  });

  it('goes on with the last addresses when the name server falls silent or fails, and not without any', async () => {
    const server = await TinyNameServer.start();
    const lookup = createLookup({ timeoutMs: 300, nameServers: [server.address], lateAfterMs: 50 });
    assert.equal((await call(lookup, 'site.test', { family: 4 })).address, '192.0.2.1');
    server.replies = { A: 'silent', AAAA: 'silent' };
    assert.equal((await call(lookup, 'site.test', { family: 4 })).address, '192.0.2.1');
    server.replies = { A: SERVFAIL, AAAA: SERVFAIL };
    assert.equal((await call(lookup, 'site.test', { family: 4 })).address, '192.0.2.1');
    assert.equal((await call(lookup, 'other.test')).code, 'ESERVFAIL');
    server.replies = { A: 'silent', AAAA: 'silent' };
    assert.equal((await call(lookup, 'other.test')).code, 'ETIMEDOUT');
  });

  it('reads settings that are given as a function at each look-up', async () => {
    const [one, two] = [await TinyNameServer.start(), await TinyNameServer.start()];
    one.replies = { A: { addresses: ['192.0.2.1'] }, AAAA: { rcode: 0 } };
    two.replies = { A: { addresses: ['192.0.2.2'] }, AAAA: { rcode: 0 } };
    let server = one;
    const lookup = createLookup(() => ({ timeoutMs: 2000, nameServers: [server.address] }));
    assert.equal((await call(lookup, 'site.test', { family: 4 })).address, '192.0.2.1');
    server = two;
    assert.equal((await call(lookup, 'site.test', { family: 4 })).address, '192.0.2.2');
  });

  it('serves net.connect', async () => {
    const listener = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    after(() => listener.close());
    await new Promise((resolve) => listener.once('listening', resolve));
    const server = await TinyNameServer.start();
    server.replies = { A: { addresses: ['127.0.0.1'] }, AAAA: { rcode: 0 } };
    const lookup = createLookup({ timeoutMs: 2000, nameServers: [server.address] });
    const { port } = listener.address() as AddressInfo;
    await new Promise((resolve, reject) => {
      connect({ host: 'site.test', port, lookup, family: 4 }).on('connect', resolve).on('error', reject).resume();
    });
  });
});
