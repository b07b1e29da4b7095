import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createLocalLookup } from '../../src/main/net/local-lookup.js';
import { NameServer } from '../support/name-server.js';

describe('names of the local network', () => {
  let server: NameServer;
  let directory: string;
  let resolvConf: string;
  let lookup: LookupFunction;

  before(async () => {
    server = await NameServer.start({
      records: { 'nats-server.home.arpa': ['192.0.2.7'], plain: ['192.0.2.8'], 'with.dot': ['192.0.2.9'] },
    });
    directory = await mkdtemp(path.join(tmpdir(), 'local-lookup-'));
    resolvConf = path.join(directory, 'resolv.conf');
    await writeFile(resolvConf, '# written by somebody\nnameserver 192.0.2.53\nsearch other.test home.arpa ; ../etc\n');
    const hostsFile = path.join(directory, 'hosts');
    await writeFile(hostsFile, '192.0.2.10 in-hosts\n');
    lookup = createLocalLookup({ timeoutMs: 5_000, nameServers: [`127.0.0.1:${server.port}`], resolvConf, hostsFile });
  });
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const resolve = (name: string, use = lookup): Promise<unknown> =>
    new Promise((done, fail) => {
      use(name, { family: 4 }, (error, address) => {
        if (error === null) done(address);
        else fail(error);
      });
    });

  it('are taken as they are, then with each search domain', async () => {
    assert.equal(await resolve('plain'), '192.0.2.8');
    assert.equal(await resolve('nats-server'), '192.0.2.7');
    assert.equal(await resolve('in-hosts'), '192.0.2.10');
    assert.equal(await resolve('with.dot'), '192.0.2.9');
    assert.equal(await resolve('192.0.2.77'), '192.0.2.77');
  });

  it('that nobody knows fail with the name the operator wrote', async () => {
    await assert.rejects(resolve('nobody'), /^LookupError: nobody could not be resolved/);
    await assert.rejects(resolve('no.body'), /^LookupError: no\.body could not be resolved/);
    assert.ok(!server.queries.some(({ name }) => name.startsWith('no.body.')));
  });

  it('cost one deadline when the name server is silent', async () => {
    const impatient = createLocalLookup({ timeoutMs: 200, nameServers: [`127.0.0.1:${server.port}`], resolvConf });
    server.behave({ kind: 'silent' });
    const before = server.queries.length;
    await assert.rejects(resolve('silent-one', impatient), /No name server/);
    assert.deepEqual([...new Set(server.queries.slice(before).map(({ name }) => name))], ['silent-one']);
    server.behave({ kind: 'answer' });
  });

  it('need no resolv.conf', async () => {
    const bare = createLocalLookup({
      timeoutMs: 5_000,
      nameServers: [`127.0.0.1:${server.port}`],
      resolvConf: path.join(directory, 'missing'),
    });
    assert.equal(await resolve('plain', bare), '192.0.2.8');
    await assert.rejects(resolve('nats-server', bare), /nats-server could not be resolved/);
  });
});
