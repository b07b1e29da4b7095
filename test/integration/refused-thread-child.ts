/** A process of its own with the monitor, whose worker thread dies on SIGUSR2. Tells each check, and what the log says. */
import { BroadcastChannel } from 'node:worker_threads';
import { InternetConnectionMonitor } from '../../src/main/index.js';
import { SABOTAGE_CHANNEL, type Sabotage } from '../support/sabotaged-worker.js';

const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const tell = (level: string) => (_: object, message: string) => void say(`${level}: ${message}`);
const channel = new BroadcastChannel(SABOTAGE_CHANNEL);
const monitor = new InternetConnectionMonitor({
  testDomain: process.argv[2] ?? '',
  checkIntervalSecs: 1,
  timeoutSecs: 1,
  followLinks: false,
  workerModule: new URL('../support/sabotaged-worker.js', import.meta.url),
  log: { debug: () => undefined, info: tell('info'), warn: tell('warn'), error: tell('error') },
});

process.on('SIGUSR2', () => channel.postMessage('exit' satisfies Sabotage));
const stopping = new AbortController();
process.on('SIGTERM', () => {
  stopping.abort();
  channel.close();
  void monitor.stop();
});
monitor.start();
await monitor.waitForConnection({ timeoutMs: 20_000 });
say('online');
while (!stopping.signal.aborted) {
  const status = await monitor.checkNow().catch(() => undefined);
  say(`checked ${status?.verdict ?? 'in vain'}, ${monitor.health.problem ?? 'well'}`);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
