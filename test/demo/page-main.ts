/**
 * `PAGE_SCALE=1 npm run page -- --outage silent --seconds 600 --phase 20`: one outage of a whole installation on loopback with a page that
 * looks at it, in real time and with the times that users have. Prints after how long the page showed the device online with its present
 * state. Exit code 1 if that was not within 60 s of the return, or did not last.
 *
 * PAGE_SCALE divides the times of the heartbeats and the outage (default 1); those of the checks stay the defaults of the settings.
 */
import { parseArgs } from 'node:util';
import { Installation } from '../support/installation.js';

const { values } = parseArgs({
  options: {
    /** `silent` or `refused`. */
    outage: { type: 'string', default: 'silent' },
    seconds: { type: 'string', default: '35' },
    /** The outage begins so long after the page's first request, seconds; 299.8 is just before the question. */
    phase: { type: 'string', default: '20' },
    /** The page is watched for so long afterwards, seconds; 70 is more than a heartbeat keeps it online. */
    after: { type: 'string', default: '70' },
  },
});
const scale = Number(process.env['PAGE_SCALE'] ?? '1');
const [seconds, phase, after] = [values.seconds, values.phase, values.after].map(Number) as [number, number, number];
const outage = values.outage;
if (
  (outage !== 'silent' && outage !== 'refused') ||
  ![scale, seconds, phase, after].every((n) => n >= 0) ||
  scale === 0
) {
  process.stderr.write(
    'PAGE_SCALE, --outage silent or refused, --seconds, --phase and --after (numbers) are wanted.\n',
  );
  process.exit(2);
}

const sleep = (secs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, (secs * 1_000) / scale));
const say = (text: string): void => void process.stdout.write(`${new Date().toISOString()} ${text}\n`);
const since = (startMs: number): string => `${((performance.now() - startMs) / 1_000).toFixed(1)} s`;

const site = await Installation.create({
  env: {
    DUNEBUGGER_WEBSOCKET_HEART_BEAT_EVERY_SECS: String(60 / scale),
    DUNEBUGGER_WEBSOCKET_HEART_BEAT_LOOP_DURATION_SECS: String(300 / scale),
    // The defaults of the settings, over the short times of the tests.
    DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '7',
    DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: '2',
    DUNEBUGGER_WEBSOCKET_STABILIZATION_SECS: '3',
    DUNEBUGGER_WEBSOCKET_BACKOFF_BASE_SECS: '15',
    DUNEBUGGER_WEBSOCKET_BACKOFF_CAP_SECS: '300',
    DUNEBUGGER_WEBSOCKET_HALF_OPEN_TIMEOUT_SECS: '15',
  },
});
try {
  await site.startConnected();
  const page = await site.openPage({ heartbeatTimeoutMs: 65_000 / scale });
  await page.until(() => page.online, 'the device to be shown online');
  say(`${seconds} s, ${outage}, begun ${phase} s after the page's first request (scale ${scale})`);
  await sleep(phase);
  await site.breakInternet(outage);
  site.core.publish('gpio_state', 'present');
  site.scheduler.publish('current_schedule', 'present');
  const wentOffline = page.onlineHistory.length;
  // Both ends give up a silent socket after 15 s or so; what it still held must not arrive at the return, as the gate would have it.
  const givenUpAfter = Math.min(seconds, 20 * scale);
  await sleep(givenUpAfter);
  if (givenUpAfter < seconds) site.cloud.gate.drop();
  await sleep(seconds - givenUpAfter);
  say(`the page shows ${page.online ? 'online' : 'offline'} at the end of the outage`);
  await site.repairInternet();
  const back = performance.now();
  const inTheGroup = site.joined().then(() => say(`in the group ${since(back)} after the return`));
  const isPresent = (): boolean =>
    page.online && page.shown('gpio_state') === 'present' && page.shown('current_schedule') === 'present';
  await page.until(isPresent, 'the device online with the present state', { timeoutMs: 60_000 });
  say(
    `SHOWN ${since(back)} after the return; offline meanwhile: ${page.onlineHistory.length > wentOffline ? 'yes' : 'no'}`,
  );
  await inTheGroup;
  const changes = page.onlineHistory.length;
  await sleep(after);
  const stays = isPresent() && page.onlineHistory.length === changes && page.strange.length === 0;
  say(stays ? `STAYS online for ${after} s more` : `DOES NOT STAY: ${JSON.stringify(page.onlineHistory)}`);
  if (!stays) process.exitCode = 1;
} catch (error) {
  say(`FAILED ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await site.stop();
}
