/** A program that uses the library, and ends by itself once it has stopped the monitor. */
import { InternetConnectionMonitor } from '../../src/main/index.js';

const monitor = new InternetConnectionMonitor({
  testDomain: process.argv[2] ?? '',
  checkIntervalSecs: 1,
  timeoutSecs: 1,
});
monitor.start();
await monitor.waitForConnection({ timeoutMs: 20_000 });
process.stdout.write('online\n');
await monitor.stop();
process.stdout.write('stopped\n');
