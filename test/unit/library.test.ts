/** The library from a configuration: the document's shared instance. Its types are held to what a program may rely on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
// As a program imports it: by the package's name, through its `exports`.
import {
  createInternetMonitor,
  InternetConnectionMonitor,
  loadSettings,
  MonitorError,
  SettingsError,
  type FromSettings,
  type InternetMonitorStatus,
  type LoadedSettings,
  type Settings,
} from 'dunebugger-remote';
import { RecordedLog } from '../support/recorded-log.js';

/** True only for types that can stand for each other. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const same = <A, B>(...isSame: Same<A, B> extends true ? [] : [never]): void => assert.equal(isSame.length, 0);

function confFile(t: TestContext, text: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'library-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'dunebugger.conf');
  writeFileSync(file, text);
  return file;
}

describe('the monitor of a configuration', () => {
  it("is the document's: its three settings, without anything that only a sign-in needs", (t) => {
    const file = confFile(t, '[Websocket]\ntestDomain = example.org:8443\nconnectionIntervalSecs = 10\n');
    const { settings, warnings } = loadSettings({
      confFile: file,
      env: { DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: '5' },
    });
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      [settings.testDomain, settings.connectionIntervalSecs, settings.connectionTimeoutSecs],
      ['example.org:8443', 10, 5],
    );
    const monitor = createInternetMonitor(settings);
    assert.ok(monitor instanceof InternetConnectionMonitor);
    assert.deepEqual([monitor.isConnected, monitor.status.verdict, monitor.offlineIntervalSecs], [false, 'unknown', 2]);
  });

  it('has the settings of this process where nothing is handed in', () => {
    const name = 'DUNEBUGGER_WEBSOCKET_TEST_DOMAIN';
    const before = process.env[name];
    process.env[name] = 'of-the-process.example';
    try {
      assert.equal(loadSettings().settings.testDomain, 'of-the-process.example');
    } finally {
      process.env[name] = before ?? '';
    }
  });

  it('is refused with what to correct, and says what certificates it does without', (t) => {
    const wrong = confFile(t, '[Websocket]\ntestDomain = https://example.org/\n');
    assert.throws(
      () => loadSettings({ confFile: wrong, env: {} }),
      (error: unknown) => {
        assert.ok(error instanceof SettingsError);
        assert.deepEqual([error.code, error.exitCode], ['ERR_SETTINGS', 78]);
        assert.match(error.problems.join(), /testDomain = "https:\/\/example\.org\/" is not allowed/);
        return true;
      },
    );
    const missing = confFile(t, '[Network]\ncaFile = /nowhere/ca.pem\n');
    const log = new RecordedLog();
    createInternetMonitor(loadSettings({ confFile: missing, env: {} }).settings, { log });
    assert.match(log.at('error').join(), /^Certificates: .*\/nowhere\/ca\.pem.*; going on with the others$/);
    assert.throws(
      () => createInternetMonitor(loadSettings({ env: {} }).settings, { witnesses: ['https://a'] }),
      (error: unknown) => error instanceof MonitorError && error.code === 'ERR_INVALID_OPTION',
    );
  });

  it('has the types that a program relies on', () => {
    same<ReturnType<typeof loadSettings>, LoadedSettings>();
    same<LoadedSettings['settings'], Settings>();
    same<Parameters<typeof createInternetMonitor>[0], Settings>();
    same<NonNullable<Parameters<typeof createInternetMonitor>[1]>, FromSettings>();
    same<ReturnType<typeof createInternetMonitor>, InternetConnectionMonitor>();
    same<InternetConnectionMonitor['status'], InternetMonitorStatus>();
    same<InternetMonitorStatus['verdict'], 'unknown' | 'online' | 'offline'>();
    same<Settings['connectionIntervalSecs'], number>();
    same<ReturnType<InternetConnectionMonitor['onConnected']>, () => void>();
    // @ts-expect-error a status cannot be set
    const set = (monitor: InternetConnectionMonitor): unknown => (monitor.isConnected = true);
    // @ts-expect-error settings are read, not written by hand
    const byHand = (): InternetConnectionMonitor => createInternetMonitor({ testDomain: 'example.org' });
    assert.equal(typeof set, typeof byHand);
  });
});
