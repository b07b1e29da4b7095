/**
 * What one would write without much thought: look the name up, ask for the page, wait 7 s, again. It prints a line when it
 * changes its mind. SIGUSR2 begins the next check now, so that a fault can be laid at the same phase as for the others.
 */
import { lookup } from 'node:dns/promises';
import { say } from './say.js';

const [, , host = 'example.org'] = process.argv;
const INTERVAL_MS = 7_000;
const TIMEOUT_MS = 2_000;

async function isOnline(): Promise<boolean> {
  try {
    await lookup(host);
    const response = await fetch(`https://${host}/`, { method: 'HEAD', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return response.ok;
  } catch {
    return false;
  }
}

let online: boolean | undefined;
let wake: () => void = () => undefined;
process.on('SIGUSR2', () => wake());
process.on('SIGTERM', () => process.exit(0));

for (;;) {
  const startedAt = performance.now();
  const now = await isOnline();
  if (now !== online) say(now ? 'online' : 'offline');
  online = now;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, startedAt + INTERVAL_MS - performance.now()));
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  wake = () => undefined;
}
