/** Certificates of the house: who is trusted, in every connection, and that nobody switches the verification off. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { rootCertificates } from 'node:tls';
import { loadHouseTrust } from '../../src/main/net/house-trust.js';
import { createLookup } from '../../src/main/net/lookup.js';
import { httpJson } from '../../src/main/net/http-json.js';
import { Bus } from '../../src/main/remote/bus.js';
import { connect } from '../../src/workers/net/connect.js';
import { certificatesIn, loadTrust } from '../../src/workers/net/trust.js';
import { Prober } from '../../src/workers/probe/check.js';
import { reasonOf } from '../../src/workers/verdict.js';
import { CertificateAuthority } from '../support/certificates.js';
import { CliProcess } from '../support/cli-process.js';
import { HttpsSite } from '../support/https-site.js';
import { LocalCloud } from '../support/local-cloud.js';
import { NatsServer } from '../support/nats-server.js';
import { RecordedLog } from '../support/recorded-log.js';

/** Far more than loopback needs. */
const PATIENCE_MS = 20_000;
const never = new AbortController().signal;

let folder: string;
let cloud: LocalCloud;
/** Of another authority, for the same names. */
let stranger: HttpsSite;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'house-'));
  cloud = await LocalCloud.start();
  stranger = await HttpsSite.start();
});
after(async () => {
  await Promise.all([cloud.stop(), stranger.stop()]);
  await rm(folder, { recursive: true });
});

describe('the certificates that are trusted', () => {
  const file = async (name: string, text: string): Promise<string> => {
    const target = path.join(folder, name);
    await writeFile(target, text);
    return target;
  };

  it("are Node's, the system's, those of NODE_EXTRA_CA_CERTS and those of the house, each once", async () => {
    const authorities = await Promise.all([1, 2, 3].map(() => CertificateAuthority.create()));
    const [one = '', two = '', three = ''] = authorities.map(({ certificatePem }) => certificatePem);
    const trust = loadTrust({
      caFile: await file('house.pem', `Issued by hand\r\n${one.replaceAll('\n', '\r\n')}`),
      env: { NODE_EXTRA_CA_CERTS: await file('extra.pem', two) },
      store: await file('store.crt', `${three}${one}${rootCertificates[0] ?? ''}\n`),
    });
    assert.deepEqual([trust.hasStore, trust.problems], [true, []]);
    const plain = certificatesIn(trust.pem).map((pem) => pem.replace(/\s/g, ''));
    assert.equal(plain.length, rootCertificates.length + 3);
    for (const pem of [one, two, three]) assert.ok(plain.includes(pem.replace(/\s/g, '')));
  });

  it('go without what cannot be read, and say so', async () => {
    await mkdir(path.join(folder, 'a-folder'));
    const sources = {
      caFile: path.join(folder, 'missing.pem'),
      env: { NODE_EXTRA_CA_CERTS: path.join(folder, 'a-folder') },
      store: path.join(folder, 'no-store'),
    };
    const { hasStore, problems, pem } = loadTrust(sources);
    assert.equal(hasStore, false);
    assert.deepEqual(problems, [
      `caFile ${sources.caFile} cannot be read (ENOENT)`,
      `NODE_EXTRA_CA_CERTS ${sources.env.NODE_EXTRA_CA_CERTS} cannot be read (EISDIR)`,
    ]);
    assert.equal(certificatesIn(pem).length, new Set(rootCertificates).size);
    const der = await file('ca.der', '\u0030\u0082 not PEM');
    assert.deepEqual(loadTrust({ env: {}, caFile: der }).problems, [
      `caFile ${der} has no certificate in it (PEM is wanted)`,
    ]);
  });

  it("obey SSL_CERT_FILE in place of Debian's store, as OpenSSL does", async () => {
    const env = { SSL_CERT_FILE: await file('of-openssl.pem', cloud.ca.certificatePem) };
    const { hasStore, pem } = loadTrust({ env, store: path.join(folder, 'no-store') });
    assert.ok(hasStore && pem.includes(cloud.ca.certificatePem.trim()));
  });
});

describe('a house with an authority of its own', () => {
  it('checks, signs in and connects by caFile alone', async () => {
    const conf = path.join(cloud.directory, 'house.conf');
    await writeFile(
      conf,
      `[Websocket]\nstabilizationSecs = 0.1\n[Network]\ncaFile = ${cloud.caFile}\n[MessageQueue]\nmQueueEnabled = False\n`,
    );
    const env = cloud.environment('negotiate');
    delete env['NODE_EXTRA_CA_CERTS'];
    const seen = await CliProcess.run({ args: ['check', '--config', conf], env });
    assert.equal(seen.code, 0, seen.stdout + seen.stderr);
    const daemon = CliProcess.start({ args: ['run', '--config', conf], env });
    try {
      await cloud.pubsub.waitForMember(cloud.group, { timeoutMs: PATIENCE_MS });
    } finally {
      await daemon.kill();
    }
  });

  it('reaches its bus over TLS, and no other', async () => {
    const { key, cert } = await cloud.ca.issue({ names: ['127.0.0.1'] });
    const [keyFile, certFile] = [path.join(folder, 'nats.key'), path.join(folder, 'nats.pem')];
    await writeFile(keyFile, key);
    await writeFile(certFile, cert);
    const nats = await NatsServer.create({ args: ['--tls', `--tlskey=${keyFile}`, `--tlscert=${certFile}`] });
    const busOf = (ca: string): { bus: Bus; up: Promise<void>; down: Promise<void> } => {
      const log = new RecordedLog();
      const bus = new Bus({
        settings: { servers: [`tls://127.0.0.1:${nats.port}`], clientId: 'remote', subjectRoot: 'dunebugger' },
        log,
        lookup: createLookup({ timeoutMs: 1_000 }),
        ca,
      });
      const on = (state: 'up' | 'down'): Promise<void> =>
        new Promise((resolve) => {
          bus.onStateChange((now) => {
            if (now === state) resolve();
          });
        });
      return { bus, up: on('up'), down: on('down') };
    };
    const trusting = busOf(cloud.ca.certificatePem);
    const strange = busOf(stranger.ca.certificatePem);
    try {
      trusting.bus.start();
      await trusting.up;
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      strange.bus.start();
      await strange.down;
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      await Promise.all([trusting.bus.close(), strange.bus.close()]);
      await nats.stop();
    }
  });
});

describe('a system without a store of certificates', () => {
  const check = async (hasCaStore: boolean, site: HttpsSite, host = '127.0.0.1'): Promise<string> => {
    const prober = new Prober({
      site: { host, port: site.port, ca: cloud.ca.certificatePem, hasCaStore },
      timeoutMs: PATIENCE_MS,
      nameServers: [cloud.names.hostAndPort],
    });
    const seen = await prober.check(never);
    prober.close();
    return seen?.ok === true ? 'online' : reasonOf(undefined, seen?.dns, seen?.https ?? []);
  };

  it('is the reason where nobody vouches for the site; with one it is somebody else', async () => {
    assert.equal(await check(false, stranger), 'no-ca-store');
    assert.equal(await check(true, stranger), 'portal');
  });

  it('is none where the certificate is for another name, or is vouched for', async () => {
    assert.equal(await check(false, stranger, cloud.siteName), 'portal');
    assert.equal(await check(false, cloud.site), 'online');
  });
});

describe('NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
  it('has no effect on check, sign-in and WebSocket', async () => {
    const ca = cloud.ca.certificatePem;
    const { port } = stranger;
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const prober = new Prober({ site: { host: '127.0.0.1', port, ca }, timeoutMs: PATIENCE_MS, nameServers: [] });
      assert.equal((await prober.check(never))?.ok, false);
      prober.close();
      const lookup = createLookup({ timeoutMs: 1_000 });
      for (const trusted of [ca, undefined]) {
        const { requests } = stranger.counts;
        await assert.rejects(
          httpJson({ method: 'POST', url: stranger.url, body: {}, timeoutMs: PATIENCE_MS, lookup, ca: trusted }),
          { phase: 'tls' },
        );
        assert.equal(stranger.counts.requests, requests);
        const tls = trusted === undefined ? {} : { ca: trusted };
        const connected = await connect({ host: '127.0.0.1', port, lookup, tls, signal: never });
        assert.ok(!connected.ok && connected.at === 'tls');
      }
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  });

  it('is taken out of the environment and said once; other values are left alone', () => {
    const log = new RecordedLog();
    const env: NodeJS.ProcessEnv = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    loadHouseTrust('', env, log);
    loadHouseTrust('', env, log);
    assert.deepEqual(env, {});
    assert.equal(log.lines.filter(({ message }) => message.startsWith('NODE_TLS_REJECT_UNAUTHORIZED=0')).length, 1);
    const verifying = { NODE_TLS_REJECT_UNAUTHORIZED: '1' };
    loadHouseTrust('', verifying, log);
    assert.equal(verifying.NODE_TLS_REJECT_UNAUTHORIZED, '1');
  });

  it('is said by the command, which verifies all the same', async () => {
    const seen = await CliProcess.run({
      args: ['check', '--domain', stranger.hostAndPort],
      env: { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_EXTRA_CA_CERTS: cloud.caFile },
    });
    assert.equal(seen.code, 1, seen.stdout);
    assert.match(seen.stderr, /^NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect here: [^\n]+\n$/);
  });
});
