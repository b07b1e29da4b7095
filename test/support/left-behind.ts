/**
 * Loaded into the process of each file of tests (run.ts): one that is still there a minute after its last test says what holds it, and ends.
 * Otherwise one handle that is left open would cost the whole group its time, and nobody would know which.
 */
import { after } from 'node:test';
import { commandOf, childrenOf } from './process.js';

/** For the hooks of the file, which may stop a dozen processes on a slow machine; milliseconds. Another number only for the test of this. */
const ENDS_WITHIN_MS = Number(process.env['TEST_ENDS_WITHIN_MS'] ?? 60_000);

function holds(): string {
  const children = childrenOf(process.pid).map((pid) => `${pid} ${commandOf(pid)}`);
  return `handles: ${process.getActiveResourcesInfo().join(' ')}; children: ${children.join(', ')}`;
}

// Also in the process of the runner itself, where there is no test.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  after(() => {
    const end = (): never => {
      process.stderr.write(`Still there ${ENDS_WITHIN_MS / 1_000} s after the last test; ${holds()}\n`);
      process.exit(1);
    };
    // It holds nothing itself: with nothing else left the process ends.
    setTimeout(end, ENDS_WITHIN_MS).unref();
  });
}
