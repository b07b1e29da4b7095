/** Each row of the table of what a name server can answer, by real ones; and every state of resolv.conf. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { lookAtResolvConf } from '../../src/workers/net/resolv-conf.js';
import { resolveHost } from '../../src/workers/net/resolve.js';
import type { DnsEvidence, NameTrouble } from '../../src/workers/protocol.js';
import { NameServer, type AddressType, type NameServerBehaviour } from '../support/name-server.js';

const HOST = 'site.test';
const V4 = '192.0.2.1';
const V6 = '2001:db8::1';

describe('a name server', () => {
  let first: NameServer;
  let second: NameServer;
  before(async () => {
    first = await NameServer.start({ records: { [HOST]: [V4, V6], 'far.test': [V4], 'xn--bcher-kva.test': [V4] } });
    second = await NameServer.start({ records: { [HOST]: [V4] } });
  });
  after(() => Promise.all([first.stop(), second.stop()]));
  afterEach(() => first.behave({ kind: 'answer' }));

  const ask = (timeoutMs: number, host = HOST, servers = [first]): Promise<DnsEvidence> =>
    resolveHost({
      host,
      timeoutMs,
      nameServers: servers.map(({ hostAndPort }) => hostAndPort),
      families: { v4: true, v6: true },
    });
  /** Where an answer is expected nothing is too long; where silence is, it is waited for. */
  const LONG_MS = 20_000;
  const SHORT_MS = 300;

  const failing: readonly [NameServerBehaviour, NameTrouble, number][] = [
    [{ kind: 'silent' }, 'silent', SHORT_MS],
    [{ kind: 'nxdomain' }, 'no-such-name', LONG_MS],
    [{ kind: 'servfail' }, 'cannot-find-out', LONG_MS],
    [{ kind: 'refused' }, 'refuses-us', LONG_MS],
    [{ kind: 'formerr' }, 'does-not-understand', LONG_MS],
    [{ kind: 'notimp' }, 'does-not-understand', LONG_MS],
    [{ kind: 'alias', to: 'nowhere.test' }, 'no-address', LONG_MS],
    [{ kind: 'other-name' }, 'silent', SHORT_MS],
  ];
  for (const [behaviour, trouble, timeoutMs] of failing) {
    it(`${Object.values(behaviour).join(' ')}: ${trouble}`, async () => {
      first.behave(behaviour);
      const evidence = await ask(timeoutMs);
      assert.deepEqual([evidence.ok, evidence.trouble], [false, trouble], JSON.stringify(evidence));
      if (timeoutMs === LONG_MS) assert.ok(evidence.ms < LONG_MS / 2, `${evidence.ms} ms`);
    });
  }

  it('bytes that are no answer are not taken for one', async () => {
    first.behave({ kind: 'garbage' });
    const { ok, trouble } = await ask(SHORT_MS);
    assert.equal(ok, false);
    assert.ok(trouble === 'makes-no-sense' || trouble === 'silent', trouble);
  });

  const handedOver: readonly NameServerBehaviour[] = [
    { kind: 'servfail' },
    { kind: 'refused' },
    { kind: 'formerr' },
    { kind: 'notimp' },
  ];
  for (const behaviour of handedOver) {
    it(`${behaviour.kind}: the next one is asked at once`, async () => {
      first.behave(behaviour);
      const evidence = await ask(LONG_MS, HOST, [first, second]);
      assert.deepEqual(evidence.addresses, [V4]);
      assert.ok(evidence.ms < LONG_MS / 4, `${evidence.ms} ms`);
    });
  }

  it('nxdomain, no address: nobody else is asked, since nobody would say otherwise', async () => {
    for (const behaviour of [{ kind: 'nxdomain' }, { kind: 'alias', to: 'nowhere.test' }] as const) {
      first.behave(behaviour);
      const before = second.countQueries();
      assert.equal((await ask(LONG_MS, HOST, [first, second])).ok, false);
      assert.equal(second.countQueries(), before);
    }
  });

  const served: readonly [string, NameServerBehaviour, readonly AddressType[], readonly string[]][] = [
    ['a truncated answer is fetched over TCP', { kind: 'truncated' }, ['A', 'AAAA'], [V6, V4]],
    ['one without EDNS is asked without', { kind: 'no-edns' }, ['A', 'AAAA'], [V6, V4]],
    ['an alias is followed', { kind: 'alias', to: 'far.test' }, ['A', 'AAAA'], [V4]],
    [
      'a chain of them, too',
      { kind: 'alias', to: 'far.test', through: ['a.test', 'b.test', 'c.test', 'd.test', 'e.test', 'f.test'] },
      ['A', 'AAAA'],
      [V4],
    ],
    ['IPv4 alone is late', { kind: 'slow', delayMs: LONG_MS }, ['A'], [V6]],
    ['IPv6 alone is silent', { kind: 'silent' }, ['AAAA'], [V4]],
    ['IPv6 alone is denied', { kind: 'nxdomain' }, ['AAAA'], [V4]],
    ['IPv6 alone fails', { kind: 'servfail' }, ['AAAA'], [V4]],
    ['IPv6 alone is refused', { kind: 'refused' }, ['AAAA'], [V4]],
    ['IPv6 alone is not known', { kind: 'notimp' }, ['AAAA'], [V4]],
    ['IPv4 alone fails', { kind: 'servfail' }, ['A'], [V6]],
  ];
  for (const [name, behaviour, types, addresses] of served) {
    it(`${name}: ${addresses.join(', ')}`, async () => {
      first.behave(behaviour, types);
      const evidence = await ask(LONG_MS);
      assert.deepEqual(evidence.addresses, addresses, JSON.stringify(evidence));
      assert.ok(evidence.ms < LONG_MS / 4, `${evidence.ms} ms`);
    });
  }

  it('IPv6 is denied early and IPv4 comes late: the denial is not the last word', async () => {
    first.behave({ kind: 'nxdomain' }, ['AAAA']);
    first.behave({ kind: 'slow', delayMs: 150 }, ['A']);
    assert.deepEqual((await ask(LONG_MS)).addresses, [V4]);
  });

  it('a name with foreign letters is asked for as its ASCII form', async () => {
    const evidence = await ask(LONG_MS, 'bücher.test');
    assert.deepEqual(evidence.addresses, [V4]);
  });

  it('no search domain is put behind a name that does not exist', async () => {
    const before = first.queries.length;
    await ask(LONG_MS, 'no.such.test');
    const asked = new Set(first.queries.slice(before).map(({ name }) => name));
    assert.deepEqual([...asked], ['no.such.test']);
  });
});

describe('resolv.conf', () => {
  let folder: string;
  before(async () => (folder = await mkdtemp(join(tmpdir(), 'resolv-'))));
  after(() => rm(folder, { recursive: true }));

  const states: readonly [string, (path: string) => Promise<unknown>, string | undefined][] = [
    ['with a server', (path) => writeFile(path, '# by hand\nnameserver 192.0.2.53\n'), undefined],
    ['with one on this link', (path) => writeFile(path, '  nameserver fe80::1%wlan0\n'), undefined],
    ['that is empty', (path) => writeFile(path, ''), 'resolv-conf-empty'],
    ['with nothing but comments', (path) => writeFile(path, '#nameserver 192.0.2.53\n'), 'resolv-conf-empty'],
    ['with a server that is none', (path) => writeFile(path, 'nameserver router.local\n'), 'resolv-conf-empty'],
    ['that is missing', () => Promise.resolve(), 'resolv-conf-missing'],
    ['that leads nowhere', (path) => symlink('/run/nowhere/stub-resolv.conf', path), 'resolv-conf-missing'],
    ['that leads to itself', (path) => symlink(path, path), 'resolv-conf-unreadable'],
    ['that is a device', (path) => symlink('/dev/zero', path), 'resolv-conf-endless'],
    ['that is a folder', (path) => mkdir(path), 'resolv-conf-endless'],
    [
      'that is a pipe',
      (path) => {
        execFileSync('mkfifo', [path]);
        return Promise.resolve();
      },
      'resolv-conf-endless',
    ],
    [
      'that is too long',
      (path) => writeFile(path, `nameserver 192.0.2.53\n${'#'.repeat(70_000)}`),
      'resolv-conf-endless',
    ],
  ];
  for (const [name, make, trouble] of states) {
    it(`${name}: ${trouble ?? 'fine'}`, async () => {
      const path = join(folder, name);
      await make(path);
      assert.equal(await lookAtResolvConf(path), trouble);
    });
  }

  it('that is endless is not read, whoever asks', async () => {
    const path = join(folder, 'endless');
    await symlink('/dev/zero', path);
    const { ms, trouble } = await resolveHost({
      host: HOST,
      timeoutMs: 20_000,
      resolvConf: path,
      nameServers: ['127.0.0.1:1'],
    });
    assert.equal(trouble, 'resolv-conf-endless');
    assert.ok(ms < 10_000);
  });

  it('that this user may not read is unreadable', async (t) => {
    if (process.getuid?.() === 0) {
      t.diagnostic('root may read everything');
      return;
    }
    const path = join(folder, 'secret');
    await writeFile(path, 'nameserver 192.0.2.53\n');
    await chmod(path, 0);
    assert.equal(await lookAtResolvConf(path), 'resolv-conf-unreadable');
  });
});
