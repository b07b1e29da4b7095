import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { CheckEvidence } from '../../src/workers/protocol.js';
import { CliProcess, type Finished } from '../support/cli-process.js';
import { LocalCloud } from '../support/local-cloud.js';
import { SilentPort } from '../support/silent-port.js';

/** What `--json` prints. */
interface Report {
  readonly verdict: string;
  readonly reason: string | null;
  readonly message: string | null;
  readonly advice: string | null;
  readonly testDomain: string;
  readonly timeoutSecs: number;
  readonly evidence: CheckEvidence | null;
}

const TIMEOUT_SECS = 1;
/** No check takes longer, by its own clock, whatever the network does. */
const LONGEST_MS = 2 * TIMEOUT_SECS * 1_000 + 500;

describe('dunebugger-remote check', () => {
  let cloud: LocalCloud;
  let silent: SilentPort;
  let directory = '';
  let confFile = '';

  before(async () => {
    cloud = await LocalCloud.start();
    silent = await SilentPort.open();
    directory = await mkdtemp(path.join(tmpdir(), 'cli-check-'));
    confFile = path.join(directory, 'dunebugger.conf');
    await writeFile(confFile, '[Websocket]\n');
  });
  after(async () => {
    await silent.close();
    await cloud.stop();
    await rm(directory, { recursive: true, force: true });
  });

  /** No group, no credentials: a device that is not signed in yet can be diagnosed. */
  const check = (domain: string, ...args: readonly string[]): Promise<Finished> =>
    CliProcess.run({
      args: ['check', '--config', confFile, '--domain', domain, '--timeout', String(TIMEOUT_SECS), ...args],
      env: { NODE_EXTRA_CA_CERTS: cloud.caFile, DUNEBUGGER_WEBSOCKET_NAME_SERVERS: cloud.names.hostAndPort },
    });

  const named = (): string => `${cloud.siteName}:${cloud.site.port}`;

  it('online: each phase with its time in text, exit 0', async () => {
    const { code, stdout, stderr } = await check(named());
    assert.equal(code, 0, stdout + stderr);
    assert.equal(stderr, '');
    assert.ok(stdout.startsWith(`Checking ${named()} (deadline of each phase: 1 s)\n`), stdout);
    assert.match(
      stdout,
      new RegExp(`^ +dns +ok +\\d+ ms +127\\.0\\.0\\.1 \\(asked ${cloud.names.hostAndPort}\\)$`, 'm'),
    );
    assert.match(stdout, /^ +tcp +ok +\d+ ms +127\.0\.0\.1/m);
    assert.match(stdout, /^ +tls +ok +\d+ ms +certificate verified$/m);
    assert.match(stdout, /^ +http +ok +\d+ ms +status 200$/m);
    assert.match(stdout, /\nOnline: the internet is there\.\n$/);
  });

  it('online: the same as JSON, and any status of the site will do', async () => {
    await cloud.site.behave({ kind: 'answer', status: 500 });
    const { code, stdout, stderr } = await check(named(), '--json');
    await cloud.site.repair();
    assert.equal(code, 0, stdout + stderr);
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual([report.verdict, report.reason, report.message, report.advice], ['online', null, null, null]);
    assert.deepEqual([report.testDomain, report.timeoutSecs], [named(), TIMEOUT_SECS]);
    assert.equal(report.evidence?.dns?.ok, true);
    assert.deepEqual(report.evidence.dns.addresses, ['127.0.0.1']);
    const [attempt] = report.evidence.https;
    assert.equal(attempt?.status, 500);
    for (const ms of [attempt.tcpMs, attempt.tlsMs, attempt.httpMs]) assert.equal(typeof ms, 'number');
  });

  interface Fault {
    readonly what: string;
    readonly domain?: () => string;
    readonly broken?: () => void | Promise<void>;
    readonly reason: string;
    /** What the evidence in text must show. */
    readonly shows: RegExp;
  }
  const faults: readonly Fault[] = [
    {
      what: 'a foreign certificate',
      broken: () => cloud.site.showCertificate('foreign'),
      reason: 'portal',
      shows: /^ +tls +FAILED/m,
    },
    {
      what: 'a certificate that is not yet valid',
      broken: () => cloud.site.showCertificate('not-yet-valid'),
      reason: 'clock',
      shows: /^ +tls +FAILED/m,
    },
    {
      what: 'a name that does not exist',
      domain: () => 'no-such-name.test',
      reason: 'dns-failed',
      shows: /^ +dns +FAILED.*ENOTFOUND/m,
    },
    {
      what: 'a name server that never answers',
      broken: () => cloud.names.behave({ kind: 'silent' }),
      reason: 'dns-timeout',
      shows: /^ +dns +FAILED/m,
    },
    {
      what: 'a port that never answers a connect',
      domain: () => silent.hostAndPort,
      reason: 'tcp-timeout',
      shows: /^ +tcp +FAILED/m,
    },
    {
      what: 'a port that connects and never answers',
      broken: () => cloud.site.behave({ kind: 'hang', at: 'accept' }),
      reason: 'tls-failed',
      shows: /^ +tls +FAILED/m,
    },
    {
      what: 'a site that never answers the request',
      broken: () => cloud.site.behave({ kind: 'hang', at: 'request' }),
      reason: 'http-timeout',
      shows: /^ +http +FAILED/m,
    },
    {
      what: 'a port that refuses',
      broken: () => cloud.site.behave({ kind: 'refuse' }),
      reason: 'tcp-refused',
      shows: /^ +tcp +FAILED.*ECONNREFUSED/m,
    },
  ];

  for (const { what, domain = named, broken, reason, shows } of faults) {
    it(`offline (${reason}): ${what}; in time, with advice, exit 1`, async (t) => {
      await broken?.();
      const json = await check(domain(), '--json');
      const text = await check(domain());
      await cloud.repairInternet();

      assert.equal(json.code, 1, json.stdout + json.stderr);
      const report = JSON.parse(json.stdout) as Report;
      assert.deepEqual([report.verdict, report.reason], ['offline', reason], json.stdout);
      assert.equal(report.evidence?.reason, reason);
      assert.ok(report.evidence.ms < LONGEST_MS, `the check took ${report.evidence.ms} ms`);
      for (const words of [report.message, report.advice]) assert.ok((words ?? '').length > 10, json.stdout);

      assert.equal(text.code, 1);
      assert.match(text.stdout, shows);
      assert.ok(text.stdout.includes(`\nOffline (${reason}): ${report.message ?? ''}`), text.stdout);
      assert.ok(text.stdout.includes(`\nWhat to do: ${report.advice ?? ''}`), text.stdout);
      tell(t, report.evidence.ms, json);
    });
  }

  it('goes on without secrets it cannot read, and says so beside the report', async () => {
    const dotEnv = path.join(directory, '.env');
    // Unreadable for root as well, who may read files of any mode.
    await mkdir(dotEnv);
    const { code, stdout, stderr } = await check(named(), '--json');
    await rm(dotEnv, { recursive: true });
    assert.equal(code, 0, stdout + stderr);
    assert.equal((JSON.parse(stdout) as Report).verdict, 'online');
    assert.ok(stderr.startsWith(`Configuration: ${dotEnv} is a directory`), stderr);
  });

  it('keeps its exit code when nobody reads what it prints', async () => {
    const process = CliProcess.start({
      args: ['check', '--config', confFile, '--domain', named(), '--timeout', '1'],
      env: { NODE_EXTRA_CA_CERTS: cloud.caFile, DUNEBUGGER_WEBSOCKET_NAME_SERVERS: cloud.names.hostAndPort },
    });
    process.closeStdout();
    assert.deepEqual(await process.waitForExit({ timeoutMs: 60_000 }), { code: 0, signal: null });
    assert.equal(process.stderr, '');
  });
});

function tell(t: TestContext, evidenceMs: number, { ms }: Finished): void {
  t.diagnostic(`check: ${Math.round(evidenceMs)} ms; the whole command: ${Math.round(ms)} ms`);
}
