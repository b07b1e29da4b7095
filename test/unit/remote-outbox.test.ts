import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { outgoing } from '../../src/main/remote/messages.js';
import {
  EMPTY_OUTBOX,
  MAX_ITEM_BYTES,
  LAST_LOGS,
  MAX_LOGS,
  MAX_OUTBOX_BYTES,
  drain,
  isEmpty,
  outboxSize,
  store,
} from '../../src/main/remote/outbox.js';
import type { Outbox, OutboxItem } from '../../src/main/remote/outbox.js';

const STATE_SUBJECTS = [
  'gpio_state',
  'sequence_state',
  'sequence',
  'playing_time',
  'modes_list',
  'next_actions',
  'some_new',
];

const item = (seq: number, subject: string, bytes = 100, destination?: string): OutboxItem => ({
  seq,
  message: outgoing(subject, seq, destination),
  bytes,
  attempts: 0,
});
const fill = (...items: readonly OutboxItem[]): Outbox => items.reduce(store, EMPTY_OUTBOX);
const told = (outbox: Outbox): readonly unknown[] =>
  drain(outbox).map(({ message: { subject, body } }) => `${subject} ${JSON.stringify(body)}`);

describe('the outbox', () => {
  it('keeps the latest value of each state, in the order of the last update, with the logs between', () => {
    const outbox = fill(
      item(1, 'gpio_state'),
      item(2, 'log'),
      item(3, 'sequence'),
      item(4, 'gpio_state'),
      item(5, 'log'),
    );
    assert.deepEqual(told(outbox), ['log 2', 'sequence 3', 'gpio_state 4', 'log 5']);
  });

  it('says of old log lines how many there were, in front of the last few', () => {
    const outbox = fill(...Array.from({ length: 250 }, (_, i) => item(i + 1, 'log')), item(300, 'sequence'));
    const messages = drain(outbox);
    assert.equal(messages.length, 1 + LAST_LOGS + 1);
    assert.deepEqual(messages[0]!.message, {
      subject: 'log',
      body: {
        message: 'While the cloud was away: 245 older log messages not shown; the last 5 follow',
        level: 'warning',
      },
      source: 'controller',
      destination: 'broadcast',
    });
    assert.equal(messages[1]!.message.body, 246);
    assert.equal(messages.at(-1)!.message.subject, 'sequence');
  });

  it('takes an item back in its place, unless a newer value is there', () => {
    assert.deepEqual(told(store(fill(item(7, 'log'), item(8, 'gpio_state')), item(6, 'log'))), [
      'log 6',
      'log 7',
      'gpio_state 8',
    ]);
    assert.deepEqual(told(store(fill(item(8, 'gpio_state')), item(6, 'gpio_state'))), ['gpio_state 8']);
    assert.deepEqual(told(store(fill(item(8, 'gpio_state')), item(6, 'sequence'))), ['sequence 6', 'gpio_state 8']);
  });

  it('does not keep what is too large, nor the value it replaces', () => {
    const outbox = fill(item(1, 'sequence'), item(2, 'sequence', MAX_ITEM_BYTES + 1));
    assert.ok(isEmpty(outbox));
    assert.equal(outbox.droppedOthers, 1);
    assert.equal(outbox.bytes, 0);
    assert.match(JSON.stringify(told(fill(item(1, 'log', MAX_ITEM_BYTES + 1)))), /1 older log message not shown/);
  });

  it('does not keep what is for one browser', () => {
    assert.deepEqual(told(fill(item(1, 'sequence'), item(2, 'sequence', 10, 'abc'))), ['sequence 1']);
  });

  it('stays within its bounds, keeps order, and loses no newest state', () => {
    const entry = fc.tuple(
      fc.constantFrom(...STATE_SUBJECTS, 'log', 'log', 'log'),
      fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: MAX_ITEM_BYTES + 10 })),
      fc.constantFrom('broadcast', 'broadcast', 'broadcast', 'abc'),
    );
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 400, size: 'max' }), (entries) => {
        let outbox = EMPTY_OUTBOX;
        let logs = 0;
        const newest = new Map<string, number | undefined>();
        entries.forEach(([subject, bytes, destination], i) => {
          outbox = store(outbox, item(i, subject, bytes, destination));
          const waiting = [...outbox.states.values(), ...outbox.logs];
          assert.equal(
            outbox.bytes,
            waiting.reduce((sum, kept) => sum + kept.bytes, 0),
          );
          assert.ok(outbox.bytes <= MAX_OUTBOX_BYTES);
          assert.ok(outbox.logs.length <= MAX_LOGS);
          if (destination !== 'broadcast') return;
          if (subject === 'log') logs += 1;
          else newest.set(subject, bytes > MAX_ITEM_BYTES ? undefined : i);
        });
        for (const [subject, seq] of newest) assert.equal(outbox.states.get(subject)?.seq, seq);
        assert.equal(outbox.logs.length + outbox.droppedLogs, logs);
        const seqs = drain(outbox).map(({ seq }) => seq);
        assert.deepEqual(
          seqs,
          seqs.toSorted((a, b) => a - b),
        );
        const shown = Math.min(outbox.logs.length, LAST_LOGS);
        const missing = outbox.logs.length - shown + outbox.droppedLogs;
        assert.equal(drain(outbox).length, outboxSize(outbox) - outbox.logs.length + shown + (missing > 0 ? 1 : 0));
      }),
      { numRuns: 60 },
    );
  });
});
