/** How long what goes to the group may wait for its acknowledgement. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outgoing } from '../../src/main/remote/messages.js';
import { DEFAULT_SENDER_LIMITS, Sender } from '../../src/main/remote/sender.js';
import { RecordedLog } from '../support/recorded-log.js';
import { SteppedClock } from '../support/stepped-clock.js';

describe('a message to the group', () => {
  it('outlasts a recovery of its session if it was relayed, and not if it was said of the moment', () => {
    const sent: { readonly subject: unknown; readonly timeoutMs: number }[] = [];
    const sender = new Sender(
      (data, { timeoutMs }) => {
        sent.push({ subject: (data as { subject: unknown }).subject, timeoutMs });
        return new Promise(() => undefined);
      },
      new RecordedLog(),
      new SteppedClock(),
      { ...DEFAULT_SENDER_LIMITS, sendTimeoutMs: 4_000, recoveryMs: 60_000 },
    );
    sender.enter('open');
    sender.relay(outgoing('log', 'a line'));
    sender.say(outgoing('heartbeat', 'I am alive'));
    assert.deepEqual(sent, [
      { subject: 'log', timeoutMs: 64_000 },
      { subject: 'heartbeat', timeoutMs: 4_000 },
    ]);
    sender.stop();
  });

  it('waits while as many bytes are on their way as the window holds, however few messages they are', async () => {
    const acknowledge: (() => void)[] = [];
    const sender = new Sender(
      () => new Promise((resolve) => acknowledge.push(() => resolve({ outcome: 'sent' }))),
      new RecordedLog(),
      new SteppedClock(),
      { ...DEFAULT_SENDER_LIMITS, windowBytes: 1_000 },
    );
    sender.enter('open');
    for (let i = 0; i < 5; i += 1) sender.relay(outgoing('log', 'x'), 500);
    assert.equal(acknowledge.length, 2);
    sender.say(outgoing('heartbeat', 'I am alive'));
    assert.equal(acknowledge.length, 3, 'what is said of the moment does not wait for what is relayed');
    acknowledge[0]?.();
    await Promise.resolve();
    assert.equal(acknowledge.length, 4);
    assert.equal(sender.waiting.queued, 2);
    sender.stop();
  });
});
