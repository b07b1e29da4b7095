/** The page and the metrics of a real daemon, by real HTTP: what they say through an outage, and whom they answer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OutletServer } from '../../src/main/observe/http/server.js';
import { METRICS_TYPES } from '../../src/main/observe/metrics.js';
import { PageServer } from '../../src/main/observe/page-server.js';
import { ask, closedBy, sayBare, type Asked } from '../support/ask.js';
import { CliProcess } from '../support/cli-process.js';
import { gatherLine } from '../support/everything-logged.js';
import { freePort } from '../support/free-port.js';
import { SECRETS, type Installation } from '../support/installation.js';
import { findNatsServer } from '../support/nats-server.js';
import { RecordedLog } from '../support/recorded-log.js';
import { until } from '../support/until.js';
import { startWatched, type WatchedInstallation } from '../support/watched-installation.js';

/** Why the reference parser cannot be asked; false: it can. */
function cannotParse(): string | false {
  const asked = spawnSync('/usr/bin/python3', ['-c', 'import prometheus_client'], { timeout: 30_000 });
  return asked.status === 0 ? false : 'python3-prometheus-client is not installed';
}

/** The reference parser's word on a text: the families it found. */
function parsed(
  text: string,
  format: 'openmetrics' | 'text',
): readonly { name: string; type: string; samples: number }[] {
  const module = format === 'openmetrics' ? 'prometheus_client.openmetrics.parser' : 'prometheus_client.parser';
  const script = `import sys, json
from ${module} import text_string_to_metric_families as parse
print(json.dumps([{'name': f.name, 'type': f.type, 'samples': len(f.samples)} for f in parse(sys.stdin.read())]))`;
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', script], {
    input: text,
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as ReturnType<typeof parsed>;
}

/** Events of a stream as they come. */
class Watching {
  text = '';
  readonly socket: Socket;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
  }

  static async at(port: number, headers = ''): Promise<Watching> {
    return new Watching(await sayBare(port, `GET /events HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n`));
  }

  /** What was sent of each part, oldest first. */
  parts(id: string): readonly string[] {
    return [...this.text.matchAll(/^data: (.*)$/gm)].flatMap(([, json = '']) => {
      const said = (JSON.parse(json) as Readonly<Record<string, string>>)[id];
      return said === undefined ? [] : [said];
    });
  }
}

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : cannotParse();

describe('the page of a daemon', { skip }, () => {
  let watched: WatchedInstallation;
  let site: Installation;
  let directory = '';
  let socket = '';
  let port = 0;
  before(async () => {
    watched = await startWatched();
    ({ site, directory, socket, port } = watched);
  });
  after(() => watched.stop());

  const page = (headers: Readonly<Record<string, string>> = {}): Promise<Asked> => ask(port, '/', { headers });
  const tokenOf = ({ body }: Asked): string => /name="t"[^>]*value="([\w-]+)"/.exec(body)?.[1] ?? '';

  it('says how it is and how it was, in English and in Italian, within 40 kB, with nothing from elsewhere', async () => {
    const english = await page();
    assert.equal(english.status, 200);
    assert.ok(Buffer.byteLength(english.body) <= 40_000, `${Buffer.byteLength(english.body)} bytes`);
    assert.match(english.body, /<html lang="en">/);
    assert.match(english.body, /Online, connected since \d\d:\d\d, group velasquez/);
    assert.match(english.body, /<rect\s+class="away"/);
    assert.match(english.body, /internet:\s+<span>captive portal or foreign certificate<\/span>/);
    assert.match(english.body, /<polyline class="mean" points="[\d., ]+"/);
    assert.doesNotMatch(english.body, /https?:\/\/|src=|style="|\son\w+=/);
    assert.match(String(english.headers['content-security-policy']), /^default-src 'none'; style-src 'sha256-/);
    assert.equal(english.headers['vary'], 'accept-language');

    const italian = await page({ 'accept-language': 'it-IT,it;q=0.9,en;q=0.8' });
    assert.match(italian.body, /<html lang="it">/);
    assert.match(italian.body, /Internet c’è, collegato dalle \d\d:\d\d, gruppo velasquez/);
    assert.match(italian.body, /portale di accesso o certificato altrui/);
  });

  it('is the same over the control socket, where a browser comes by ssh -L', async () => {
    const { status, body } = await ask(socket, '/', { headers: { host: 'localhost:9999' } });
    assert.equal(status, 200);
    assert.match(body, /Online, connected since/);
  });

  it('changes while it is looked at, through an outage; in each language', async () => {
    const watching = [await Watching.at(port), await Watching.at(port, 'accept-language: it\r\n')] as const;
    await until(() => watching.every((one) => one.parts('sentence').length === 1), 'the first parts');
    await site.breakInternet('refused');
    await until(() => /Offline since/.test(watching[0].parts('sentence').at(-1) ?? ''), 'the outage, in English');
    await until(
      () => /Senza internet dalle/.test(watching[1].parts('sentence').at(-1) ?? ''),
      'the outage, in Italian',
    );
    assert.match(watching[0].parts('chain').at(-1) ?? '', /<li class="bad">\s*<span class="name">internet/);
    assert.match(watching[0].parts('outages').at(-1) ?? '', /so far/);
    assert.match((await page()).body, /sentence bad/);
    await site.repairInternet();
    await until(() => /Online, connected/.test(watching[0].parts('sentence').at(-1) ?? ''), 'the end of the outage');
    for (const { socket: one } of watching) one.destroy();
  });

  it('looks at the internet for whoever has read the page, and not for a stranger', async () => {
    const lastCheck = async (): Promise<number> => {
      const { body } = await ask(port, '/snapshot');
      return (JSON.parse(body) as { internet: { lastCheck: { atMs: number } } }).internet.lastCheck.atMs;
    };
    const token = tokenOf(await page());
    assert.ok(token.length >= 16);
    const before = await lastCheck();
    const { status, headers } = await ask(port, `/look?t=${token}`);
    assert.deepEqual([status, headers['location']], [303, './']);
    assert.ok((await lastCheck()) > before);
    for (const query of ['', '?t=', '?t=x', `?t=${token}x`])
      assert.equal((await ask(port, `/look${query}`)).status, 303);
  });

  it('is read by nobody who comes under a name that a stranger may own', async () => {
    for (const [host, expected] of [
      ['localhost', 200],
      [`127.0.0.1:${port}`, 200],
      [`[::1]:${port}`, 200],
      [`${hostname()}:${port}`, 200],
      [`${hostname()}.local`, 200],
      ['evil.example', 421],
      [`${hostname()}.evil.example`, 421],
      ['localhost.evil.example', 421],
      ['127.0.0.1.evil.example', 421],
    ] as const)
      for (const where of [port, socket])
        assert.equal((await ask(where, '/', { headers: { host } })).status, expected, host);
    for (const bare of ['GET / HTTP/1.1\r\nhost: \r\n\r\n', 'GET / HTTP/1.0\r\n\r\n'])
      assert.match(await closedBy(await sayBare(port, bare)), /^HTTP\/1\.1 421 /);
  });

  it('is changed by nobody: no other method than GET', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      for (const url of ['/', '/snapshot', '/look', '/metrics', '/events']) {
        const { status, headers } = await ask(port, url, { method });
        assert.deepEqual([status, headers['allow']], [405, 'GET'], `${method} ${url}`);
        assert.equal(headers['access-control-allow-origin'], undefined);
      }
    }
    assert.equal((await ask(port, '/', { method: 'HEAD' })).body, '');
    assert.equal((await ask(port, '/../etc/passwd')).status, 404);
  });

  it('is bounded in those who watch; whoever never reads is given up, and others are answered', async () => {
    const watching = await Promise.all(Array.from({ length: 9 }, () => Watching.at(port)));
    const have = (what: string): number => watching.filter(({ text }) => text.includes(what)).length;
    await until(() => have(' 503 ') + have('text/event-stream') === 9, 'nine answers');
    assert.equal(have('text/event-stream'), 6);
    assert.equal((await page()).status, 200);
    for (const { socket: one } of watching) one.destroy();
    // Their places are free again.
    for (let watches = false; !watches;) {
      const next = await Watching.at(port);
      await until(() => next.text.includes('\r\n\r\n'), 'an answer');
      watches = next.text.includes('text/event-stream');
      next.socket.destroy();
    }
  });

  it('gives the outages as a table for spreadsheets', async () => {
    const { body, headers } = await ask(port, '/outages.csv');
    assert.match(String(headers['content-disposition']), /outages\.csv/);
    const rows = body.trimEnd().split('\r\n');
    assert.equal(rows[0], 'from,to,secs,at_least,count,scope,why,evidence,cloud,cloud_away_secs');
    assert.ok(rows.length >= 9, body);
  });

  it('metrics: the reference parser reads them, as OpenMetrics and in the older format, by Accept', async () => {
    for (const [accept, format] of [
      [undefined, 'openmetrics'],
      ['*/*', 'openmetrics'],
      [METRICS_TYPES.openmetrics, 'openmetrics'],
      ['application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5', 'openmetrics'],
      ['text/plain;version=0.0.4', 'text'],
    ] as const) {
      const { body, headers } = await ask(port, '/metrics', { headers: accept === undefined ? {} : { accept } });
      assert.equal(headers['content-type'], METRICS_TYPES[format]);
      const families = parsed(body, format);
      assert.ok(families.length > 15);
      const typeOf = (name: string): string | undefined => families.find((family) => family.name === name)?.type;
      assert.equal(typeOf('dunebugger_remote_internet_up'), 'gauge');
      assert.equal(typeOf('dunebugger_remote_checks'), 'counter');
      assert.equal(typeOf('dunebugger_remote_check_latency_seconds'), 'summary');
      for (const { name, samples } of families) assert.ok(samples > 0, name);
      assert.match(body, /^dunebugger_remote_internet_outages\{window="30d"\} \d+$/m);
    }
  });

  it('metrics: printed, and for the textfile collector', async () => {
    const env = { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket };
    const printed = await CliProcess.run({ args: ['metrics'], env });
    assert.equal(printed.code, 0);
    assert.ok(parsed(printed.stdout, 'openmetrics').length > 15);
    const file = path.join(directory, 'dunebugger.prom');
    for (let round = 0; round < 2; round += 1) {
      assert.equal((await CliProcess.run({ args: ['metrics', '--textfile', file], env })).code, 0);
      assert.ok(parsed(await readFile(file, 'utf8'), 'text').length > 15);
    }
    assert.equal((await stat(file)).mode & 0o777, 0o644);
    assert.deepEqual(
      (await readdir(directory)).filter((name) => name.includes('.prom')),
      ['dunebugger.prom'],
    );
    const nowhere = await CliProcess.run({
      args: ['metrics', '--textfile', path.join(directory, 'no/such.prom')],
      env,
    });
    assert.equal(nowhere.code, 73);
    assert.match(nowhere.stderr, /cannot be written: ENOENT/);
  });

  it('names no secret', async () => {
    for (const url of ['/', '/snapshot', '/outages', '/outages.csv', '/metrics']) {
      const { body } = await ask(port, url);
      for (const secret of Object.values(SECRETS)) assert.ok(!body.includes(secret), url);
    }
    for (const name of await readdir(path.join(directory, 'history')))
      gatherLine('history', await readFile(path.join(directory, 'history', name), 'utf8'));
  });

  it('stops with somebody watching; then metrics say that nobody answers', async () => {
    const watching = await Watching.at(port);
    await until(() => watching.text !== '', 'the first parts');
    site.daemon.signal('SIGTERM');
    assert.deepEqual(await site.daemon.waitForExit(), { code: 0, signal: null });
    await closedBy(watching.socket);
    const file = path.join(directory, 'dunebugger.prom');
    const env = { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket };
    assert.equal((await CliProcess.run({ args: ['metrics', '--textfile', file], env })).code, 3);
    const text = await readFile(file, 'utf8');
    assert.match(text, /^dunebugger_remote_up 0$/m);
    assert.equal(parsed(text, 'text').length, 1);
  });
});

describe('where the page listens', () => {
  const ROUTES = { 'GET /': () => ({ contentType: 'text/plain', body: 'here' }) };

  it('this machine alone, by either of its loopback addresses; the LAN only on purpose', async () => {
    for (const listen of ['loopback', 'lan'] as const) {
      const port = await freePort();
      const log = new RecordedLog();
      const server = new PageServer(ROUTES, log);
      await server.listen({ port, listen });
      const listening = spawnSync('ss', ['-Hltn', `sport = :${port}`], { encoding: 'utf8' }).stdout;
      const addresses = [...listening.matchAll(/(\S+):\d+\s+\S+\s*$/gm)].map(([, address]) => address).sort();
      assert.deepEqual(addresses, listen === 'loopback' ? ['127.0.0.1', '[::1]'] : ['*']);
      for (const host of ['127.0.0.1', '[::1]'])
        assert.equal(await (await fetch(`http://${host}:${port}/`)).text(), 'here');
      await server.close();
      assert.equal(log.at('warn', 'error').length, 0);
    }
  });

  it('a port that another program has is said, and all else goes on', async () => {
    const other = createServer().listen(0, '::1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const log = new RecordedLog();
    const server = new PageServer(ROUTES, log);
    await server.listen({ port, listen: 'loopback' });
    assert.match(
      log.at('warn').join(),
      new RegExp(`^No status page on port ${port} \\(.*EADDRINUSE.*\\); everything else goes on\\.$`),
    );
    await assert.rejects(ask(port, '/'), { code: 'ECONNREFUSED' });
    await server.close();
    other.close();
  });

  it('whoever is not let in is told nothing', async () => {
    const server = new OutletServer({
      routes: ROUTES,
      log: new RecordedLog(),
      mayConnect: (address) => address !== '127.0.0.1',
    });
    const port = await freePort();
    await server.listenOn({ host: '127.0.0.1', port });
    assert.equal(await closedBy(await sayBare(port, 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')), '');
    await server.close();
  });

  it('a watcher who never reads is given up', async () => {
    const server = new OutletServer({
      routes: {
        'GET /events': () => ({
          begin: (send) => {
            const timer = setInterval(() => send('x'.repeat(100_000)), 1);
            return () => clearInterval(timer);
          },
        }),
      },
      log: new RecordedLog(),
    });
    const port = await freePort();
    await server.listenOn({ host: '127.0.0.1', port });
    const deaf = await sayBare(port, 'GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n');
    deaf.pause();
    await new Promise<void>((resolve) => {
      deaf.once('error', () => resolve());
      deaf.once('end', () => resolve());
      // A paused socket does not see its end; what the system holds for it is bounded.
      setTimeout(() => deaf.resume(), 1_000);
    });
    await server.close();
  });
});
