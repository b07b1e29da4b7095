import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type LookupFunction, type Server } from 'node:net';
import { describe, it, before, type TestContext } from 'node:test';
import { HttpJsonError, httpJson, type HttpJsonRequest } from '../../src/main/net/http-json.js';
import { createLookup } from '../../src/main/net/lookup.js';
import { CertificateAuthority, type CertificateKind, type KeyAndChain } from '../support/certificates.js';

/** Longer than a request that is swallowed is waited for. */
const SLOW_ANSWER_MS = 1_500;

const lookup = createLookup({ timeoutMs: 2_000 });

let ca: string;
let certificates: Record<CertificateKind, KeyAndChain>;

before(async () => {
  const authority = await CertificateAuthority.create();
  ca = authority.certificatePem;
  certificates = await authority.issueAllKinds(['localhost']);
});

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function site(t: TestContext, kind: CertificateKind, text = '{"ok":true}') {
  const seen: { authorization: string | undefined; connection: string | undefined; body: string }[] = [];
  const server = createTlsServer(certificates[kind], (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ authorization: request.headers.authorization, connection: request.headers.connection, body });
      response.end(text);
    });
  });
  t.after(() => server.closeAllConnections());
  return { seen, url: `https://localhost:${await listening(t, server)}/path?secret=hidden` };
}

function get(url: string, more: Partial<HttpJsonRequest> = {}): ReturnType<typeof httpJson> {
  return httpJson({ method: 'GET', url, timeoutMs: 5_000, lookup, ca, ...more });
}

async function failure(call: ReturnType<typeof httpJson>): Promise<HttpJsonError> {
  return call.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => {
      assert.ok(error instanceof HttpJsonError);
      assert.doesNotMatch(error.message, /hidden|path/);
      return error;
    },
  );
}

describe('httpJson', () => {
  it('sends JSON and headers, returns status, headers and JSON, and keeps no connection', async (t) => {
    const { seen, url } = await site(t, 'good');
    const headers = { authorization: 'Bearer word' };
    const answer = await get(url, { method: 'POST', body: { text: 'käse' }, headers });
    assert.deepEqual([answer.status, answer.json], [200, { ok: true }]);
    assert.deepEqual(seen, [{ authorization: 'Bearer word', connection: 'close', body: '{"text":"käse"}' }]);
  });

  it('asks a server that is slow to answer once, whatever other family it has', async (t) => {
    let asked = 0;
    const server = createTlsServer(certificates.good, (_request, response) => {
      asked += 1;
      setTimeout(() => response.end('{"ok":true}'), SLOW_ANSWER_MS);
    });
    server.listen(0, '::');
    await once(server, 'listening');
    t.after(() => server.close());
    const both: LookupFunction = (_host, _options, callback) =>
      callback(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]);
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const swallowed: number[] = [];
    const { json } = await get(url, { lookup: both, onSwallowed: (family) => swallowed.push(family) });
    assert.deepEqual({ json, asked, swallowed }, { json: { ok: true }, asked: 1, swallowed: [] });
  });

  it('an answer that is not JSON has undefined for its JSON', async (t) => {
    const { url } = await site(t, 'good', '<html>');
    assert.equal((await get(url)).json, undefined);
  });

  for (const [kind, code] of [
    ['foreign', /UNABLE_TO|SELF_SIGNED|CERT/],
    ['expired', /^CERT_HAS_EXPIRED$/],
    ['not-yet-valid', /^CERT_NOT_YET_VALID$/],
  ] as const) {
    it(`sends nothing to a server with a certificate that is ${kind}`, async (t) => {
      const { seen, url } = await site(t, kind);
      const error = await failure(get(url));
      assert.match(error.code, code);
      assert.deepEqual([error.phase, seen.length], ['tls', 0]);
    });
  }

  it('a name that is not in the certificate', async (t) => {
    const { url } = await site(t, 'good');
    const error = await failure(get(url.replace('localhost', '127.0.0.1')));
    assert.deepEqual([error.code, error.phase], ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls']);
  });

  it('refuses an answer that is too big', async (t) => {
    const { url } = await site(t, 'good', JSON.stringify('x'.repeat(100_000)));
    assert.equal((await failure(get(url, { maxBytes: 50_000 }))).code, 'ERR_BODY_TOO_LARGE');
    assert.equal((await get(url)).status, 200);
  });

  for (const url of ['http://example.com/path', 'ftp://localhost/', 'path', '', 'http://localhost.example.com/']) {
    it(`refuses the URL "${url}"`, async () => {
      const error = await failure(get(url));
      assert.deepEqual([error.code, error.phase], ['ERR_BAD_REQUEST', 'request']);
    });
  }

  it('refuses a header that cannot be sent, without its value', async (t) => {
    const { url } = await site(t, 'good');
    const error = await failure(get(url, { headers: { authorization: 'Bearer hidden\r\nx: y' } }));
    assert.deepEqual([error.code, error.phase], ['ERR_BAD_REQUEST', 'request']);
    assert.doesNotMatch(String(error.cause), /hidden/);
  });

  it('names the phase in which it failed: dns', async () => {
    const nobody = createLookup({ timeoutMs: 1_000, nameServers: ['127.0.0.1:1'] });
    assert.equal((await failure(get('https://nowhere.invalid/path', { lookup: nobody }))).phase, 'dns');
  });

  it('names the phase in which it failed: tcp', async (t) => {
    const server = createTcpServer();
    const port = await listening(t, server);
    await new Promise((resolve) => server.close(resolve));
    const error = await failure(get(`https://localhost:${port}/path`));
    assert.deepEqual([error.code, error.phase], ['ECONNREFUSED', 'tcp']);
  });

  for (const [what, phase, begin] of [
    ['a look-up that never calls back', 'dns', undefined],
    ['a server that accepts and is silent', 'tls', () => undefined],
  ] as const) {
    it(`its deadline covers ${what}`, async (t) => {
      const accepted: { destroy(): void }[] = [];
      const server = createTcpServer((socket) => {
        accepted.push(socket);
        socket.on('error', () => begin?.());
      });
      const port = await listening(t, server);
      const error = await failure(
        get(`https://localhost:${port}/path`, {
          timeoutMs: 300,
          ...(begin === undefined ? { lookup: () => undefined } : {}),
        }),
      );
      assert.deepEqual([error.code, error.phase], ['ETIMEDOUT', phase]);
      for (const socket of accepted) socket.destroy();
    });
  }

  it('closes its connection when it gives up', async (t) => {
    const server = createTcpServer();
    const port = await listening(t, server);
    const controller = new AbortController();
    const call = failure(get(`https://localhost:${port}/path`, { signal: controller.signal }));
    const [socket] = (await once(server, 'connection')) as [import('node:net').Socket];
    socket.on('error', () => undefined).resume();
    const closed = once(socket, 'close');
    controller.abort();
    assert.equal((await call).code, 'ABORT_ERR');
    await closed;
  });

  it('does nothing with a signal that is aborted already', async () => {
    const lookUps: string[] = [];
    const error = await failure(
      get('https://localhost:1/', { signal: AbortSignal.abort(), lookup: (name) => void lookUps.push(name) }),
    );
    assert.deepEqual([error.code, lookUps], ['ABORT_ERR', []]);
  });
});
