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
});
