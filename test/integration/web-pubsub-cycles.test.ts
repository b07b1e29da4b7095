/** 1,000 times connected, dropped, recovered: never two live connections, nothing grows, nothing is lost or doubled. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RECOVERY_VARIANTS } from '../support/web-pubsub/recovery.js';
import { BareServer } from './web-pubsub-bare-server.js';
import { Fixture, eventually, pause } from './web-pubsub-fixture.js';

const CYCLES = 1_000;
const variants = Object.values(RECOVERY_VARIANTS);

it(`${CYCLES} drops and recoveries`, { timeout: 120_000 }, async (test) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const server = await BareServer.start();
  const fixture = new Fixture(server.url);
  const received: number[] = [];
  let recoveries = 0;
  fixture.onEvent = (event) => {
    if (event.kind === 'message') received.push(event.message.data as number);
    if (event.kind === 'recovered') recoveries += 1;
    // What is counted here need not be kept: the heap is looked at.
    fixture.events.length = 0;
  };
  const session = await fixture.open({ recoverySpacingMs: 0 });
  const outcomes: Promise<{ outcome: string }>[] = [];
  const heap: number[] = [];
  try {
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      // Each kind of recovery after each other.
      server.recovery = variants[cycle % variants.length]!;
      server.publish(cycle);
      const sending = session.send(cycle, 60_000);
      outcomes.push(sending);
      if (cycle % 3 === 0) await sending;
      // Our side learns of a drop at once; the server has to have learned of it as well before it counts what is live.
      if (cycle % 5 === 4) session.suspend();
      else server.drop();
      await eventuallySoon(() => server.live.length === 0 || recoveries > cycle);
      session.resume();
      await fixture.until(() => recoveries > cycle);
      if (cycle % 100 === 99) {
        server.frames.length = 0;
        server.requests.length = 0;
        await pause(1_100);
        collect();
        heap.push(process.memoryUsage().heapUsed);
      }
    }
    const all = await Promise.all(outcomes);
    assert.ok(all.every(({ outcome }) => outcome === 'sent'));
    await eventually(() => received.length >= CYCLES);
    const expected = Array.from({ length: CYCLES }, (_, n) => n);
    assert.deepEqual(received, expected);
    assert.deepEqual(server.kept.delivered, expected);
    assert.equal(server.sessions.size, 1);
    assert.equal(server.mostLive, 1);

    const grownKiB = (heap.at(-1)! - heap[1]!) / 1024;
    test.diagnostic(`heap after each 100: ${heap.map((bytes) => (bytes / 1_048_576).toFixed(2)).join(' ')} MiB`);
    assert.ok(grownKiB < 1_500, `the heap grew by ${grownKiB.toFixed(0)} KiB in 800 cycles`);
    const handles = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name));
    test.diagnostic(`handles: ${handles.join(' ')}`);
    // The server, its socket, ours; the watch, the client's own acknowledging, the runner's time-out, keep-alives of http.
    assert.ok(handles.length <= 10, handles.join(' '));
  } finally {
    await fixture.close();
    await server.close();
  }
});

async function eventuallySoon(enough: () => boolean): Promise<void> {
  while (!enough()) await new Promise((resolve) => setImmediate(resolve));
}
