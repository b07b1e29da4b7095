/** The system's own resolver, asked by a child: real getent, and stand-ins of it that are late, broken or not there. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createLocalLookup } from '../../src/main/net/local-lookup.js';
import { SystemNames, type SystemAnswer } from '../../src/main/net/system-names.js';
import { NameServer } from '../support/name-server.js';
import { until } from '../support/until.js';

const PATIENT_MS = 30_000;

let folder = '';
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'system-names-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
/** A program in place of getent, called `getent ahosts -- NAME`. */
function program(script: string, mode = 0o755): string {
  const file = path.join(folder, `getent-${(made += 1)}`);
  writeFileSync(file, `#!/bin/sh\ncd '${folder}'\n${script}\n`);
  chmodSync(file, mode);
  return file;
}

const names = (script: string): SystemNames => new SystemNames({ program: program(script) });
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
/** Of the child that wrote its own. */
const pidIn = (file: string): number => Number(readFileSync(path.join(folder, file), 'utf8'));

describe("the system's resolver", () => {
  it('finds what this machine finds, and says of the rest that there is none', async () => {
    const system = new SystemNames();
    const local = await system.addressesOf('localhost', PATIENT_MS);
    assert.ok(local.kind === 'found' && local.addresses.every((address) => ['127.0.0.1', '::1'].includes(address)));
    // Of RFC 6761: never there, also where a name server answers whatever it is asked.
    const { kind } = await system.addressesOf('nobody.invalid', PATIENT_MS);
    assert.equal(kind, 'none');
  });

  for (const [what, script, answer] of [
    [
      'each address once',
      `[ "$1 $2 $3" = 'ahosts -- pi.local' ] || exit 9
       printf '192.0.2.7 STREAM pi.local\\n192.0.2.7 DGRAM\\nfe80::1%%eth0 STREAM\\n2001:db8::7  RAW \\n'`,
      { kind: 'found', addresses: ['192.0.2.7', 'fe80::1%eth0', '2001:db8::7'] },
    ],
    ['eight addresses at most', 'seq -f "192.0.2.%.0f STREAM" 1 250', undefined],
    ['nothing that is no address', "printf 'hello\\n\\n/etc/passwd STREAM x\\n'", { kind: 'none' }],
    ['exit code 2: none', 'exit 2', { kind: 'none' }],
    ['another exit code: it cannot be asked', 'exit 1', { kind: 'unavailable', why: 'ended with 1' }],
    ['a crash: the same', 'kill -SEGV $$', { kind: 'unavailable', why: 'ended with a signal' }],
    [
      'an output without end: bounded',
      'yes "192.0.2.1 STREAM" | head -c 3000000',
      { kind: 'found', addresses: ['192.0.2.1'] },
    ],
  ] as const) {
    it(`understands ${what}`, async () => {
      const got = await names(script).addressesOf('pi.local', PATIENT_MS);
      if (answer !== undefined) assert.deepEqual(got, answer);
      else assert.ok(got.kind === 'found' && got.addresses.length === 8);
    });
  }

  for (const [what, file, why] of [
    ['is not there', () => path.join(folder, 'no-such-program'), 'ENOENT'],
    ['may not be run', () => program('exit 0', 0o644), 'EACCES'],
  ] as const) {
    it(`that ${what} cannot be asked, now and later`, async () => {
      const system = new SystemNames({ program: file() });
      for (let i = 0; i < 3; i += 1) {
        assert.deepEqual(await system.addressesOf('pi.local', PATIENT_MS), { kind: 'unavailable', why });
      }
    });
  }

  it('that hangs is late and killed, and occupies no thread of this process', async () => {
    const system = names('echo $$ > hung; exec sleep 600');
    const late = system.addressesOf('pi.local', 1_500);
    let settled = false;
    void late.then(() => (settled = true));
    // The pool has four threads, and getaddrinfo in this process would hold one each.
    await Promise.all(Array.from({ length: 16 }, () => readFile('/etc/hostname').catch(() => undefined)));
    assert.equal(settled, false);
    assert.deepEqual(await late, { kind: 'late' });
    await until(() => !alive(pidIn('hung')), 'the child is gone');
  });

  it('is asked by one child at a time: the same name shares it, another waits or is told', async () => {
    mkdirSync(path.join(folder, 'turns'));
    const system = names(`
      mkdir turns/taken || { echo both > turns/both; exit 1; }
      echo "$3" >> turns/asked
      sleep 0.2
      rmdir turns/taken
      echo '192.0.2.7 STREAM'`);
    const found: SystemAnswer = { kind: 'found', addresses: ['192.0.2.7'] };
    const answers = await Promise.all(['a', 'a', 'b', 'a', 'c'].map((name) => system.addressesOf(name, PATIENT_MS)));
    assert.deepEqual(answers, [found, found, found, found, found]);
    const asked = readFileSync(path.join(folder, 'turns', 'asked'), 'utf8')
      .trim()
      .split('\n');
    assert.deepEqual([...new Set(asked)].sort(), ['a', 'b', 'c']);
    assert.ok(!existsSync(path.join(folder, 'turns', 'both')));

    const busy = names('exec sleep 600');
    const first = busy.addressesOf('a', 3_000);
    assert.deepEqual(await busy.addressesOf('b', 50), { kind: 'unavailable', why: 'another name is being asked for' });
    assert.deepEqual(await busy.addressesOf('a', 50), { kind: 'late' });
    busy.stop();
    assert.deepEqual(await first, { kind: 'unavailable', why: 'ended with a signal' });
    assert.deepEqual(await busy.addressesOf('a', PATIENT_MS), { kind: 'unavailable', why: 'stopped' });
  });
});

describe('a name of the house', () => {
  let server: NameServer;
  let hostsFile = '';
  before(async () => {
    server = await NameServer.start({ records: { 'pi.local': ['192.0.2.99'], plain: ['192.0.2.8'] } });
    hostsFile = path.join(folder, 'hosts');
    writeFileSync(hostsFile, '192.0.2.10 nats-server\n');
  });
  after(() => server.stop());

  /** What is found, or what the error says. */
  function find(script: string | undefined, name: string, family: 0 | 4 | 6 = 0): Promise<string> {
    const system = script === undefined ? undefined : names(script);
    const lookup = createLocalLookup({
      timeoutMs: 1_000,
      nameServers: [`127.0.0.1:${server.port}`],
      resolvConf: path.join(folder, 'none'),
      hostsFile,
      ...(system && { system }),
    });
    return new Promise((resolve) => {
      lookup(name, { family, all: true }, (error, addresses) => {
        if (error !== null) resolve(error.message);
        else resolve(typeof addresses === 'string' ? addresses : addresses.map(({ address }) => address).join());
      });
    });
  }

  const NOBODY = /^pi\.local could not be resolved \(ENOTFOUND\)\. No machine of this network says .* avahi/;

  for (const [what, script, name, expected] of [
    ['is taken from the system first', "echo '192.0.2.7 STREAM'", 'plain', '192.0.2.7'],
    ['of the hosts file needs no process', 'touch ran; exit 2', 'nats-server', '192.0.2.10'],
    ['that the system does not know is asked of the name servers', 'exit 2', 'plain', '192.0.2.8'],
    ['is asked of the name servers where the system hangs', 'exec sleep 600', 'plain', '192.0.2.8'],
    ['is asked of the name servers where the system cannot be asked', 'exit 1', 'plain', '192.0.2.8'],
    ['in .local is taken from the system', "echo '192.0.2.7 STREAM'", 'pi.local', '192.0.2.7'],
    ['in .local that nobody has is not asked of name servers', 'exit 2', 'pi.local', NOBODY],
    ['in .local where the system hangs is not, either', 'exec sleep 600', 'pi.local', NOBODY],
    ['in .local is asked of them where nobody else can be asked', 'exit 1', 'pi.local', '192.0.2.99'],
    [
      'that nobody knows is told with what the name servers say',
      'exit 2',
      'nobody',
      /^nobody could not be resolved \(ENOTFOUND from 127/,
    ],
  ] as const) {
    it(what, async () => {
      const before = server.queries.length;
      const got = await find(script, name);
      if (typeof expected === 'string') assert.equal(got, expected);
      else assert.match(got, expected);
      const asked = server.queries.slice(before).length > 0;
      assert.equal(asked, got !== '192.0.2.7' && got !== '192.0.2.10' && expected !== NOBODY);
    });
  }

  it('has the families that are wanted, and is found by the name servers if it has none of them', async () => {
    const script = "printf '192.0.2.7 STREAM\\n2001:db8::7 STREAM\\n'";
    assert.equal(await find(script, 'both'), '192.0.2.7,2001:db8::7');
    assert.equal(await find(script, 'both', 6), '2001:db8::7');
    assert.equal(await find("echo '2001:db8::7 STREAM'", 'plain', 4), '192.0.2.8');
  });

  it('of the hosts file has started nothing', () => {
    assert.ok(!existsSync(path.join(folder, 'ran')));
  });
});
