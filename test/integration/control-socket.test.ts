/** The control socket: what it answers, and that whoever asks can hurt nothing. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ControlServer } from '../../src/main/observe/control-server.js';
import type { Answer, OutletServerOptions, Question, Routes } from '../../src/main/observe/http/server.js';
import { Looks } from '../../src/main/observe/looks.js';
import { createRoutes } from '../../src/main/observe/outlet.js';
import { takeSnapshot, type Snapshot } from '../../src/main/observe/snapshot.js';
import { ask, closedBy, sayBare } from '../support/ask.js';
import { Installation, SECRETS } from '../support/installation.js';
import { cloudIs, HEALTHY, NOW_MS } from '../support/parts.js';
import { RecordedLog } from '../support/recorded-log.js';
import { endOf } from '../support/ends.js';

const text = (body: string): { contentType: string; body: string } => ({ contentType: 'text/plain', body });
const ROUTES: Routes = {
  'GET /hello': ({ query }) => text(`hello ${query.get('name') ?? ''}`),
  'POST /act': () => text('done'),
  'GET /large': () => text('x'.repeat(8 << 20)),
  'GET /broken': () => {
    throw new Error('a bug');
  },
};

const QUESTION: Question = { query: new URLSearchParams(), headers: {} };

let directory = '';
before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'control-'));
});
const servers: ControlServer[] = [];
after(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await rm(directory, { recursive: true, force: true });
});

let count = 0;
const freshPath = (): string => path.join(directory, `${(count += 1)}.sock`);

async function serve(
  options: Partial<OutletServerOptions> = {},
): Promise<{ server: ControlServer; at: string; log: RecordedLog }> {
  const log = new RecordedLog();
  const server = new ControlServer({ routes: ROUTES, log, ...options });
  servers.push(server);
  const at = freshPath();
  await server.listen({ kind: 'path', path: at });
  return { server, at, log };
}

describe('the control socket', () => {
  it('is for its owner and group only, answers, and is gone when it is closed', async () => {
    const { server, at } = await serve();
    assert.equal((await stat(at)).mode & 0o777, 0o660);
    const { status, body, headers } = await ask(at, '/hello?name=sand');
    assert.deepEqual([status, body, headers['connection']], [200, 'hello sand', 'close']);
    assert.equal((await ask(at, '/act', { method: 'POST' })).body, 'done');
    assert.equal((await ask(at, '/hello', { method: 'HEAD' })).body, '');
    await server.close();
    await assert.rejects(ask(at, '/hello'), { code: 'ENOENT' });
  });

  it('refuses what it does not know, with what there is', async () => {
    const { server, at, log } = await serve();
    const statuses = [];
    for (const [url, options] of [
      ['/nothing', {}],
      ['/hello', { method: 'DELETE' }],
      ['/act', {}],
      ['/__proto__', {}],
      ['/act', { method: 'POST', body: 'something', headers: { 'content-length': '9' } }],
      ['/act', { method: 'POST', body: 'x', headers: { 'transfer-encoding': 'chunked' } }],
      ['/broken', {}],
    ] as const)
      statuses.push((await ask(at, url, options)).status);
    assert.deepEqual(statuses, [404, 405, 405, 404, 413, 413, 500]);
    assert.match((await ask(at, '/nothing')).body, /GET \/hello, POST \/act/);
    assert.deepEqual(log.at('error', 'warn'), ['A question to this service could not be answered; the next one is.']);
    await server.close();
  });

  it('drops what is no HTTP, or too long', async () => {
    const { server, at } = await serve();
    for (const junk of ['\x00\xff\xfe', 'SSH-2.0-x\r\n', `GET /${'a'.repeat(5_000)} HTTP/1.1\r\n\r\n`]) {
      assert.doesNotMatch(await closedBy(await sayBare(at, junk)), / 200 /);
    }
    assert.equal((await ask(at, '/hello')).status, 200);
    await server.close();
  });

  it('clients that say nothing or half a request are bounded in number and dropped in time; then others are answered', async () => {
    const { server, at } = await serve({ maxClients: 3, requestMs: 150 });
    const silent = [await sayBare(at), await sayBare(at, 'GET /hel'), await sayBare(at, 'POST /act HTTP/1.1\r\n')];
    // A fourth one is not let in, a moment later it is.
    await closedBy(await sayBare(at));
    await Promise.all(silent.map((socket) => closedBy(socket)));
    assert.equal((await ask(at, '/hello')).status, 200);
    await server.close();
  });

  it('a client that never reads is dropped in time, and what waited for it is given up', async () => {
    const { server, at } = await serve({ maxClients: 1, lifetimeMs: 200 });
    const deaf = await sayBare(at, 'GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n');
    deaf.pause();
    // The only place is free again.
    let answered = false;
    while (!answered)
      answered = await ask(at, '/hello').then(
        ({ status }) => status === 200,
        () => false,
      );
    // What the system holds for it can still be read; the rest was given up.
    const held = await closedBy(deaf);
    assert.ok(held.length < 8 << 20);
    await server.close();
  });

  it('clients that die in the middle hurt nothing', async () => {
    const { server, at, log } = await serve();
    for (let index = 0; index < 50; index += 1) {
      const socket = await sayBare(at, index % 2 === 0 ? 'GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n' : 'GET /');
      socket.destroy();
    }
    assert.equal((await ask(at, '/hello')).status, 200);
    assert.deepEqual(log.at('error', 'warn'), []);
    await server.close();
  });

  it('closing ends whoever is connected', async () => {
    const { server, at } = await serve();
    const socket = await sayBare(at, 'GET /hel');
    await server.close();
    await closedBy(socket);
  });

  it('a socket whose process was ended at once is taken over', async () => {
    const at = freshPath();
    const script = `require('net').createServer().listen(${JSON.stringify(at)}, () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await endOf(child, 'the process that is killed');
    const server = new ControlServer({ routes: ROUTES, log: new RecordedLog() });
    await server.listen({ kind: 'path', path: at });
    assert.equal((await ask(at, '/hello')).status, 200);
    await server.close();
  });

  it('is not taken from another service, nor is a file removed; it is said, and all else goes on', async () => {
    const other = createServer();
    const taken = freshPath();
    other.listen(taken);
    await once(other, 'listening');
    const file = freshPath();
    await writeFile(file, 'precious');
    for (const [at, why] of [
      [taken, /another service answers/],
      [file, /is no socket: remove it, or set \[Status\] controlSocket/],
      [path.join(directory, 'missing', 'x.sock'), /ENOENT|EACCES/],
    ] as const) {
      const log = new RecordedLog();
      const server = new ControlServer({ routes: ROUTES, log });
      await server.listen({ kind: 'path', path: at });
      assert.equal(log.lines.length, 1);
      assert.equal(log.lines[0]?.level, 'warn');
      assert.match(String(log.lines[0].fields['error']), why);
      await server.close();
    }
    assert.equal((await stat(file)).size, 8);
    other.close();
  });
});

describe('what it answers', () => {
  const routes = (snapshot: Snapshot | undefined, looks: { count: number }, nowMs = { value: 0 }): Routes =>
    createRoutes({
      snapshot: () => Promise.resolve(snapshot),
      outages: () => Promise.resolve([]),
      settings: () => ({ settings: {}, ofEnvironment: [] }),
      metrics: () => Promise.resolve(text('')),
      looks: new Looks(
        () => Promise.resolve((looks.count += 1)),
        () => nowMs.value,
      ),
      redact: (value) => value.replaceAll('hunter2', '***'),
    });

  it('every text is redacted', async () => {
    const failed = cloudIs('backing-off', { lastFailure: { kind: 'failed', message: 'said "hunter2"' } });
    const answer = await routes(takeSnapshot({ ...HEALTHY, ...failed }, NOW_MS), { count: 0 })['GET /snapshot']!(
      QUESTION,
    );
    assert.ok('body' in answer);
    assert.ok(!answer.body.includes('hunter2'));
    const { cloud } = JSON.parse(answer.body) as Snapshot;
    assert.equal(cloud?.lastFailure?.message, 'said "***"');
  });

  it('looks when it is asked to, but not more often than every 3 s', async () => {
    const looks = { count: 0 };
    const nowMs = { value: 0 };
    const look = routes(takeSnapshot(HEALTHY, NOW_MS), looks, nowMs)['POST /look']!;
    for (const [atMs, expected] of [
      [0, 1],
      [1_000, 1],
      [2_999, 1],
      [3_000, 2],
    ] as const) {
      nowMs.value = atMs;
      assert.equal(((await look(QUESTION)) as Answer).status, undefined);
      assert.equal(looks.count, expected);
    }
  });

  it('looks for whoever can open a page, but not more often than every 10 s', async () => {
    let count = 0;
    let nowMs = 0;
    const looks = new Looks(
      () => Promise.resolve((count += 1)),
      () => nowMs,
    );
    for (const [atMs, by, expected] of [
      [0, 'page', 1],
      [9_999, 'page', 1],
      [9_999, 'control', 2],
      [19_998, 'page', 2],
      [19_999, 'page', 3],
    ] as const) {
      nowMs = atMs;
      await looks.look(by);
      assert.equal(count, expected);
    }
  });

  it('while nothing runs: 503', async () => {
    const answer = await routes(undefined, { count: 0 })['GET /snapshot']!(QUESTION);
    assert.equal((answer as Answer).status, 503);
  });
});

describe('the daemon', () => {
  let site: Installation;
  let at = '';
  before(async () => {
    at = freshPath();
    site = await Installation.create({ env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: at } });
    await site.startConnected();
  });
  after(() => site.stop());

  const snapshot = async (): Promise<Snapshot> => JSON.parse((await ask(at, '/snapshot')).body) as Snapshot;

  it('tells how everything is, through an outage, and looks when it is asked to', async () => {
    await site.daemon.waitForLine(/A component is running.*scheduler|scheduler.*A component is running/);
    const well = await snapshot();
    assert.equal(well.outcome, 'connected');
    assert.match(well.sentence, /^Online, connected since/);
    assert.deepEqual(new Set(well.chain.map(({ state }) => state)), new Set(['ok']));

    const before = well.internet?.lastCheck?.atMs ?? 0;
    const looked = JSON.parse((await ask(at, '/look', { method: 'POST' })).body) as Snapshot;
    assert.ok((looked.internet?.lastCheck?.atMs ?? 0) > before);

    const since = site.daemon.lines.length;
    await site.breakInternet('refused');
    await site.daemon.waitForLine(/Internet lost/, { since });
    const lost = await snapshot();
    assert.equal(lost.outcome, 'not-connected');
    assert.equal(lost.troubles.first?.code, lost.internet?.reason);
    await site.repairInternet();
  });

  it('names no secret', async () => {
    const { body } = await ask(at, '/snapshot');
    for (const secret of Object.values(SECRETS)) assert.ok(!body.includes(secret));
  });

  it('stops with a client connected, and takes its socket with it', async () => {
    const socket = await sayBare(at, 'GET /snap');
    site.daemon.signal('SIGTERM');
    assert.deepEqual(await site.daemon.waitForExit(), { code: 0, signal: null });
    await closedBy(socket);
    await assert.rejects(stat(at), { code: 'ENOENT' });
  });
});
