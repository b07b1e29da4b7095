/** The history of a real daemon: through outages, a restart and a sudden end; asked, and read without the daemon. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { OutageReport } from '../../src/main/observe/history/report.js';
import type { Snapshot } from '../../src/main/observe/snapshot.js';
import { ask } from '../support/ask.js';
import { CliProcess, type Finished } from '../support/cli-process.js';
import { gatherLine } from '../support/everything-logged.js';
import { Installation, SECRETS } from '../support/installation.js';

describe('dunebugger-remote outages', () => {
  let site: Installation;
  let directory = '';
  let socket = '';
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'cli-outages-'));
    socket = path.join(directory, 'control.sock');
    site = await Installation.create({
      env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket, STATE_DIRECTORY: directory },
    });
    await site.startConnected();
  });
  after(async () => {
    await site.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const outages = (...args: readonly string[]): Promise<Finished> =>
    CliProcess.run({
      args: ['outages', ...args],
      env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket, STATE_DIRECTORY: directory },
    });
  const report = async (...args: readonly string[]): Promise<OutageReport> =>
    JSON.parse((await outages('--json', ...args)).stdout) as OutageReport;

  const folder = (): string => path.join(directory, 'history');
  const written = (): string =>
    readdirSync(folder())
      .map((name) => readFileSync(path.join(folder(), name), 'utf8'))
      .join('');

  it('none so far', async () => {
    const { code, stdout } = await outages();
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^No outages\.\n\nThe internet, of the time in which the service ran:\n {2}24 h {6}there for 100 % of /,
    );
  });

  it('an outage: from, to, why, evidence, how the cloud came back; on the card before anybody asks', async () => {
    const since = site.daemon.lines.length;
    await site.breakInternet('refused');
    await site.daemon.waitForLine(/Internet lost/, { since });
    const lasting = await report();
    assert.deepEqual([lasting.outages.length, lasting.outages[0]?.toMs, lasting.running], [1, null, true]);
    await site.repairInternet();
    await site.daemon.waitForLine(/Connected to the cloud|Cloud connection resumed/, { since });

    const { outages: all, uptime } = await report();
    const [outage] = all;
    assert.equal(all.length, 1);
    assert.equal(outage?.scope, 'internet');
    assert.equal(outage.why, 'tcp-refused');
    assert.match(outage.evidence ?? '', /ECONNREFUSED/);
    assert.match(outage.cloud?.how ?? '', /resumed|reconnected/);
    assert.ok(outage.ms > 0 && outage.toMs !== null && outage.ms <= (outage.cloud?.ms ?? 0) + 60_000);
    assert.deepEqual([uptime[0]?.outages, uptime[0]?.byReason[0]?.why], [1, 'tcp-refused']);
    assert.match(written(), /"k":"down",.*"why":"tcp-refused"/);
    assert.equal(statSync(folder()).mode & 0o777, 0o700);
    const { outages: last } = JSON.parse((await ask(socket, '/snapshot')).body) as Snapshot;
    assert.deepEqual(last, all);
  });

  it('ended at once in an outage: closed honestly, read without the service; the next run goes on', async () => {
    const since = site.daemon.lines.length;
    await site.breakInternet('refused');
    await site.daemon.waitForLine(/Internet lost/, { since });
    await report();
    await site.daemon.kill();

    const left = await report();
    assert.equal(left.running, false);
    assert.deepEqual(
      left.outages.map(({ atLeast }) => atLeast),
      [false, true],
    );
    const text = await outages();
    assert.match(text.stdout, / at least \d+ m?s {2}internet: test site refuses connections\n/);
    assert.match(text.stdout, /The service does not run: this is what it has left\.\n$/);
    const csv = (await outages('--csv')).stdout.split('\n');
    assert.equal(csv[0], 'from,to,secs,at_least,count,scope,why,evidence,cloud,cloud_away_secs');
    assert.equal(csv.length, 4);
    assert.match((await outages('--since', '2001-01-01')).stdout, /at least/);
    assert.match((await outages('--since', '2199-01-01')).stdout, /^No outages\./);

    await site.repairInternet();
    await site.startConnected();
    const next = await report();
    assert.equal(next.outages.length, 2);
    assert.deepEqual(
      next.runs.map(({ after: how }) => how),
      ['nothing', 'crash'],
    );
  });

  it('a card that hangs: how it is, is told all the same', async () => {
    // Whoever opens a pipe that nobody writes to waits for ever.
    execFileSync('mkfifo', [path.join(folder(), 'history-000002.jsonl')]);
    const { outcome, outages: last } = JSON.parse((await ask(socket, '/snapshot')).body) as Snapshot;
    assert.deepEqual([outcome, last], ['connected', null]);
    rmSync(path.join(folder(), 'history-000002.jsonl'));
  });

  it('names no secret', () => {
    const text = written();
    gatherLine('history', text);
    for (const secret of Object.values(SECRETS)) assert.ok(!text.includes(secret));
  });
});
