/** Checks, sign-in and the WebSocket by a proxy, on real sockets: whatever a proxy may answer, and the whole daemon. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { createLookup } from '../../src/main/net/lookup.js';
import { HttpJsonError, httpJson } from '../../src/main/net/http-json.js';
import { failedCall } from '../../src/main/connection/credentials/failed-call.js';
import { createConnection } from '../../src/main/connection/web-pubsub/socket.js';
import { connect } from '../../src/workers/net/connect.js';
import { ProxyError } from '../../src/workers/net/proxy-answers.js';
import { Prober } from '../../src/workers/probe/check.js';
import { askWitnesses } from '../../src/workers/probe/witnesses.js';
import type { HttpsEvidence, ProxySettings, ProxyTrouble } from '../../src/workers/protocol.js';
import { reasonOf } from '../../src/workers/verdict.js';
import { CertificateAuthority } from '../support/certificates.js';
import { CliProcess } from '../support/cli-process.js';
import { registerSecret } from '../support/everything-logged.js';
import { HttpsSite } from '../support/https-site.js';
import { Listener } from '../support/listener.js';
import { NameServer } from '../support/name-server.js';
import { ProxyServer, type ProxyBehaviour } from '../support/proxy-server.js';
import { SilentPort } from '../support/silent-port.js';
import { until } from '../support/until.js';
import { WebPubSubServer } from '../support/web-pubsub-server.js';

const SITE = 'site.test';
const CLOUD = 'cloud.test';
const HOSTS = { [SITE]: '127.0.0.1', [CLOUD]: '127.0.0.1' };
const LOGIN = { user: 'pi', password: 'Frauenkirche' };
/** Far more than loopback needs. */
const PATIENCE_MS = 20_000;
/** Of a check that gets no answer. */
const SHORT_MS = 300;
const never = new AbortController().signal;

let ca: CertificateAuthority;
let site: HttpsSite;
let proxy: ProxyServer;
let strict: ProxyServer;
let secure: ProxyServer;
/** Knows the proxy's name and nobody else's. */
let names: NameServer;
before(async () => {
  ca = await CertificateAuthority.create();
  site = await HttpsSite.start({ ca, names: [SITE, CLOUD] });
  proxy = await ProxyServer.start({ hosts: HOSTS });
  strict = await ProxyServer.start({ hosts: HOSTS, login: LOGIN });
  secure = await ProxyServer.start({ hosts: HOSTS, tls: await ca.issue({ names: ['proxy.test'] }) });
  names = await NameServer.start({ records: { 'proxy.test': ['127.0.0.1'] } });
});
after(() => Promise.all([site, proxy, strict, secure, names].map((one) => one.stop())));
afterEach(() => {
  for (const one of [proxy, strict, secure]) {
    one.behaviour = { kind: 'open' };
    one.asked.length = 0;
  }
});

function by(one: { readonly port: number }, more: Partial<ProxySettings> = {}): ProxySettings {
  return { host: '127.0.0.1', port: one.port, secure: false, except: [], ...more };
}

function basic({ user, password }: typeof LOGIN): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function proberBy(settings: ProxySettings, timeoutMs = PATIENCE_MS, trusted = ca): Prober {
  return new Prober({
    site: { host: SITE, port: site.port, proxy: settings, ca: trusted.certificatePem },
    timeoutMs,
    nameServers: [`127.0.0.1:${names.port}`],
  });
}

/** One check; what a fresh connection met. */
async function check(settings: ProxySettings, timeoutMs?: number): Promise<{ reason: string; tried: HttpsEvidence }> {
  const prober = proberBy(settings, timeoutMs);
  try {
    const seen = await prober.check(never);
    assert.ok(seen !== undefined);
    const [tried] = seen.https;
    assert.ok(tried !== undefined, JSON.stringify(seen.dns));
    return { reason: seen.ok ? 'none' : reasonOf(undefined, seen.dns, seen.https), tried };
  } finally {
    prober.close();
  }
}

const lookup = createLookup(() => ({ timeoutMs: PATIENCE_MS, nameServers: [`127.0.0.1:${names.port}`] }));

describe('a check by a proxy', () => {
  it('leaves the name of the site to the proxy, keeps its connection and its session', async () => {
    const prober = proberBy(by(proxy));
    const before = { queries: names.countQueries(), connections: site.counts.connections };
    try {
      for (let n = 0; n < 5; n += 1) {
        const seen = await prober.check(never);
        assert.ok(seen?.ok === true, JSON.stringify(seen));
        assert.deepEqual([seen.dns.proxy, seen.dns.servers], ['127.0.0.1', []]);
        assert.equal(seen.https[0]?.reused, n > 0);
      }
      proxy.dropAll();
      await until(() => site.openConnections === 0, 'the tunnel is cut', PATIENCE_MS);
      const again = await prober.check(never);
      const fresh = again?.https.find(({ reused }) => !reused);
      assert.ok(again?.ok === true && fresh?.resumed === true && fresh.proxyMs !== undefined, JSON.stringify(again));
    } finally {
      prober.close();
    }
    assert.deepEqual(proxy.asked, [`${SITE}:${site.port}`, `${SITE}:${site.port}`]);
    assert.equal(names.countQueries(), before.queries);
    assert.equal(site.counts.connections, before.connections + 2);
  });

  it('asks the name server for the proxy, if that has a name', async () => {
    const seen = await check(by(proxy, { host: 'proxy.test' }));
    assert.equal(seen.reason, 'none');
    const prober = proberBy(by(proxy, { host: 'nobody.test' }));
    const unknown = await prober.check(never);
    assert.deepEqual([unknown?.dns.trouble, unknown?.dns.proxy], ['no-such-name', 'nobody.test']);
    assert.equal(reasonOf(undefined, unknown?.dns, unknown?.https ?? []), 'dns-failed');
  });

  const opens: readonly [string, Extract<ProxyBehaviour, { kind: 'open' }>][] = [
    ['HTTP/1.0', { kind: 'open', statusLine: 'HTTP/1.0 200 Connection established' }],
    ['a status without a reason', { kind: 'open', statusLine: 'HTTP/1.1 200' }],
    ['another 2xx', { kind: 'open', statusLine: 'HTTP/1.1 204 No Content' }],
    ['a Content-Length', { kind: 'open', fields: ['Content-Length: 100'] }],
    ['Transfer-Encoding: chunked', { kind: 'open', fields: ['Transfer-Encoding: chunked'] }],
    ['Connection: close', { kind: 'open', fields: ['Connection: close', 'Proxy-Agent: tinyproxy/1.11.1'] }],
    ['interim answers', { kind: 'open', interim: ['HTTP/1.1 100 Continue', 'HTTP/1.1 103 Early Hints\r\nLink: <x>'] }],
    ['lines that end with LF', { kind: 'open', bareLf: true }],
    ['a head byte by byte', { kind: 'open', dribble: true, interim: ['HTTP/1.1 102 Processing'] }],
  ];
  for (const [what, behaviour] of opens) {
    it(`goes through one that answers with ${what}`, async () => {
      proxy.behaviour = behaviour;
      const { reason, tried } = await check(by(proxy));
      assert.deepEqual([reason, tried.status], ['none', 200]);
    });
  }

  it('goes through one that wants TLS itself, and keeps that connection, too', async () => {
    const settings = by(secure, { host: 'proxy.test', secure: true });
    const prober = proberBy(settings);
    try {
      for (const reused of [false, true]) {
        const seen = await prober.check(never);
        assert.ok(seen?.ok === true, JSON.stringify(seen));
        assert.equal(seen.https[0]?.reused, reused);
      }
    } finally {
      prober.close();
    }
  });

  it('logs in with user name and password', async () => {
    const { reason } = await check(by(strict, { authorization: basic(LOGIN) }));
    assert.equal(reason, 'none');
  });
});

describe('a proxy that opens no way', () => {
  interface Row {
    readonly what: string;
    readonly trouble: ProxyTrouble;
    readonly error: string;
    readonly behaviour?: ProxyBehaviour;
    readonly settings?: () => ProxySettings;
    readonly timeoutMs?: number;
  }
  const answer = (status: number, trouble: ProxyTrouble, fields: string[] = []): Row => ({
    what: `that answers ${status}${fields.map((field) => `, ${field}`).join('')}`,
    trouble,
    error: `PROXY_${status}`,
    behaviour: { kind: 'answer', status, fields },
  });
  const rows: readonly Row[] = [
    answer(403, 'forbids'),
    answer(404, 'forbids'),
    answer(405, 'forbids', ['Allow: GET']),
    answer(500, 'has-no-way'),
    answer(502, 'has-no-way'),
    answer(503, 'has-no-way', ['Retry-After: 5']),
    answer(504, 'has-no-way'),
    answer(302, 'answers-oddly', ['Location: http://login.test/']),
    answer(407, 'wants-other-login', ['Proxy-Authenticate: Negotiate', 'Proxy-Authenticate: NTLM']),
    answer(407, 'wants-login', ['Proxy-Authenticate: Digest realm="x", nonce="y", Basic realm="z"']),
    { what: 'that wants a login', trouble: 'wants-login', error: 'PROXY_407', settings: () => by(strict) },
    {
      what: 'that refuses the login',
      trouble: 'refuses-login',
      error: 'PROXY_407',
      settings: () => by(strict, { authorization: basic({ user: 'pi', password: 'Zwinger' }) }),
    },
    { what: 'that closes', trouble: 'closes', error: 'ECONNRESET', behaviour: { kind: 'close' } },
    { what: 'that resets', trouble: 'closes', error: 'ECONNRESET', behaviour: { kind: 'reset' } },
    {
      what: 'that is silent',
      trouble: 'silent',
      error: 'ETIMEDOUT',
      behaviour: { kind: 'silent' },
      timeoutMs: SHORT_MS,
    },
    {
      what: 'that speaks something else',
      trouble: 'no-proxy',
      error: 'PROXY_NO_HTTP',
      behaviour: { kind: 'bytes', bytes: '\u0005\u00ff\u0000\u0001' },
    },
    { what: 'whose head never ends', trouble: 'no-proxy', error: 'PROXY_NO_HTTP', behaviour: { kind: 'endless' } },
    {
      what: 'of TLS, asked without',
      trouble: 'closes',
      error: 'ECONNRESET',
      settings: () => by(secure),
    },
    {
      what: 'without TLS, asked with it',
      trouble: 'no-tls',
      error: 'ERR_SSL_WRONG_VERSION_NUMBER',
      settings: () => by(proxy, { secure: true }),
    },
    {
      what: 'whose certificate is for another name',
      trouble: 'bad-certificate',
      error: 'ERR_TLS_CERT_ALTNAME_INVALID',
      settings: () => by(secure, { secure: true }),
    },
  ];
  for (const { what, trouble, error, behaviour, settings, timeoutMs } of rows) {
    it(`${what} is named`, async () => {
      if (behaviour !== undefined) proxy.behaviour = behaviour;
      const { reason, tried } = await check(settings?.() ?? by(proxy), timeoutMs);
      assert.deepEqual([reason, tried.proxy, tried.error], ['proxy', trouble, error], JSON.stringify(tried));
      await until(() => proxy.open + strict.open + secure.open === 0, 'no connection is left', PATIENCE_MS);
    });
  }

  it('that is not there is named, refused or silent', async () => {
    const gone = await Listener.start({}, () => undefined);
    await gone.stop();
    const refused = await check(by(gone));
    assert.deepEqual([refused.reason, refused.tried.proxy], ['proxy', 'refuses-connections']);
    const silent = await SilentPort.open();
    try {
      const unreachable = await check(by(silent), SHORT_MS);
      assert.deepEqual([unreachable.reason, unreachable.tried.proxy], ['proxy', 'unreachable']);
    } finally {
      await silent.close();
    }
  });

  it('that forbids the site alone leaves the witnesses to speak for the internet', async () => {
    proxy.behaviour = { kind: 'open' };
    const seen = await askWitnesses({
      witnesses: [{ host: CLOUD, port: site.port }],
      lookup,
      proxy: by(proxy),
      ca: ca.certificatePem,
      timeoutMs: PATIENCE_MS,
      signal: never,
    });
    assert.deepEqual(
      seen.map(({ ok }) => ok),
      [true],
      JSON.stringify(seen),
    );
  });
});

describe('sign-in and WebSocket by a proxy', () => {
  const call = (settings: ProxySettings, timeoutMs = PATIENCE_MS): ReturnType<typeof httpJson> =>
    httpJson({
      method: 'GET',
      url: `https://${CLOUD}:${site.port}/`,
      timeoutMs,
      lookup,
      proxy: settings,
      ca: ca.certificatePem,
    });

  it('leave the name to it', async () => {
    assert.equal((await call(by(proxy))).status, 200);
    assert.deepEqual(proxy.asked, [`${CLOUD}:${site.port}`]);
  });

  it('say what is wrong with it, and never how one logs in', async () => {
    const failed = (settings: ProxySettings): Promise<unknown> =>
      call(settings).then(
        () => assert.fail('it succeeded'),
        (error: unknown) => error,
      );
    const authorization = basic({ user: 'pi', password: 'Zwinger-1709' });
    registerSecret('Zwinger-1709');
    const error = await failed(by(strict, { authorization }));
    assert.ok(error instanceof HttpJsonError);
    assert.deepEqual([error.code, error.phase], ['PROXY_407', 'proxy']);
    const told = failedCall('Auth0', 'authURL in [Auth]', error).message;
    assert.match(
      told,
      /the proxy answers 407 .* The proxy refuses the user name or the password \(407, or 401\)\. Correct them/,
    );
    assert.doesNotMatch(JSON.stringify([error.message, told, error.cause]), /Zwinger|Basic/);

    proxy.behaviour = { kind: 'answer', status: 403 };
    const socket = await new Promise<unknown>((resolve) =>
      createConnection(`wss://${CLOUD}:${site.port}/`, { lookup, proxy: by(proxy), signal: never })({}, resolve),
    );
    assert.ok(socket instanceof ProxyError);
    assert.equal(socket.message, 'the proxy answers 403');
  });

  it('go straight to whom the exceptions name', async () => {
    await assert.rejects(call(by(proxy, { except: ['.test'] })), /cloud\.test/);
    assert.deepEqual(proxy.asked, []);
  });

  it('get what the host says first, right behind the head', async () => {
    const chatty = await Listener.start({}, (socket) => void socket.write('220 at your service\r\n'));
    try {
      for (const withFirstBytes of [true, false]) {
        proxy.behaviour = withFirstBytes ? { kind: 'open', withFirstBytes } : { kind: 'open' };
        const opened = await connect({ host: SITE, port: chatty.port, lookup, proxy: by(proxy), signal: never });
        assert.ok(opened.ok);
        const said = await new Promise<string>((resolve) =>
          opened.socket.once('data', (chunk: Buffer) => resolve(chunk.toString())),
        );
        assert.equal(said, '220 at your service\r\n');
        opened.socket.destroy();
      }
    } finally {
      await chatty.stop();
    }
  });

  it('give up a proxy that is silent, without a socket left', async () => {
    proxy.behaviour = { kind: 'silent' };
    await assert.rejects(call(by(proxy), SHORT_MS), { code: 'ETIMEDOUT', phase: 'proxy' });
    await until(() => proxy.open === 0, 'no connection is left', PATIENCE_MS);
  });

  it('race the addresses of its name to the end of what they do', async () => {
    const stalls = await Listener.start({ address: '127.0.0.2', port: proxy.port }, (socket) => void socket.resume());
    try {
      const both: net.LookupFunction = (_host, _options, callback) =>
        callback(
          null,
          ['127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 })),
        );
      const opened = await connect({
        host: SITE,
        port: site.port,
        lookup: both,
        proxy: by(proxy, { host: 'proxy.test' }),
        tls: { ca: ca.certificatePem },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      assert.ok(opened.ok);
      opened.socket.destroy();
      await until(() => stalls.open === 0, 'the loser is closed', PATIENCE_MS);
    } finally {
      await stalls.stop();
    }
  });
});

describe('the daemon with a proxy as its only way', () => {
  let folder: string;
  let pubsub: WebPubSubServer;
  let env: Record<string, string>;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'proxy-'));
    pubsub = await WebPubSubServer.start({ ca, names: [CLOUD], advertisedHost: CLOUD });
    const conf = path.join(folder, 'proxy.conf');
    const caFile = path.join(folder, 'ca.pem');
    await writeFile(caFile, ca.certificatePem);
    await writeFile(
      conf,
      `[Websocket]\nstabilizationSecs = 0.1\nconnectionIntervalSecs = 1\nconnectionTimeoutSecs = 1\nnameServers = 127.0.0.1:${names.port}\n[Network]\ncaFile = ${caFile}\n[MessageQueue]\nmQueueEnabled = False\n`,
    );
    env = {
      DUNEBUGGER_CONFIG: conf,
      DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'DEBUG',
      DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: `${SITE}:${site.port}`,
      WEBPUBSUB_NEGOTIATE_URL: `https://${CLOUD}:${pubsub.port}/negotiate`,
      WS_GROUP_NAME: 'dune-group',
    };
  });
  after(async () => {
    await pubsub.stop();
    await rm(folder, { recursive: true });
  });

  it('looks, signs in and connects by it; a login that is refused is told with its remedy, and no password', async () => {
    const queries = (): number => names.countQueries(SITE) + names.countQueries(CLOUD);
    const before = queries();
    const url = (password: string): string => `http://${LOGIN.user}:${password}@127.0.0.1:${strict.port}`;
    const seen = await CliProcess.run({ args: ['check'], env: { ...env, HTTPS_PROXY: url(LOGIN.password) } });
    assert.equal(seen.code, 0, seen.stdout + seen.stderr);
    assert.match(seen.stdout, /proxy ok +\d+ ms {2}the way is open/);

    const wrong = await CliProcess.run({ args: ['check'], env: { ...env, https_proxy: url('Semperoper') } });
    registerSecret('Semperoper');
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.stdout,
      /Offline \(proxy\): the proxy opens no way\.\nWhat to do: The proxy refuses the user name/,
    );
    assert.doesNotMatch(wrong.stdout + wrong.stderr, /Semperoper/);

    const daemon = CliProcess.start({ args: ['run'], env: { ...env, HTTPS_PROXY: url(LOGIN.password) } });
    try {
      await pubsub.waitForMember('dune-group', { timeoutMs: PATIENCE_MS });
      await strict.refuse(true);
      strict.dropAll();
      await daemon.waitForLine(/Offline: the proxy opens no way.*Nothing listens/, { timeoutMs: PATIENCE_MS });
      await strict.refuse(false);
      await daemon.waitForLine(/Online again/, { timeoutMs: PATIENCE_MS });
      await pubsub.waitForMember('dune-group', { timeoutMs: PATIENCE_MS });
    } finally {
      await daemon.kill();
    }
    assert.ok(
      daemon.lines.some((line) => line.includes('go by the proxy http://127.0.0.1')),
      daemon.lines.join('\n'),
    );
    assert.equal(queries(), before);
  });
});
