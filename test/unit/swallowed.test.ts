import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { describe, it, mock } from 'node:test';
import { sendingOf, watchSending, type Sending } from '../../src/workers/net/swallowed.js';

const HEAD =
  '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const line = (local: string, remote: string, state: string, queued: string, timeouts: string): string =>
  `   0: 000077FD000001000000000002000000:${local} 000077FD000002000000000002000000:${remote} ${state} ${queued}:00000000 01:00000020 ${timeouts}     0        0 81531 3 0000000000000000 81 4 30 10 -1`;
const table = (...lines: string[]): string => [HEAD, ...lines, ''].join('\n');
const ENDS = { family: 6, localPort: 0xd1f4, remotePort: 443 } as const;

describe('what the kernel says of a connection', () => {
  const mine = line('D1F4', '01BB', '01', '00000365', '00000002');

  it('is how much is not acknowledged, and how often it was waited for in vain', () => {
    const others = [
      line('D1F4', '20FB', '01', '00000000', '00000000'),
      line('D1F5', '01BB', '01', '00000001', '00000001'),
    ];
    assert.deepEqual(sendingOf(table(...others, mine), ENDS), { unacknowledged: 0x365, timeouts: 2 });
  });

  it('counts while the connection is open, and where it is the only one between these ports', () => {
    const waits = line('D1F4', '01BB', '06', '00000000', '00000000');
    assert.deepEqual(sendingOf(table(waits, mine), ENDS), { unacknowledged: 0x365, timeouts: 2 });
    assert.equal(sendingOf(table(waits), ENDS), undefined);
    assert.equal(sendingOf(table(mine, mine), ENDS), undefined);
  });

  it('is nothing where the table is none', () => {
    for (const text of ['', HEAD, 'a\nb c d e', table('0: 0:D1F4 0:01BB 01 zz 0 zz')])
      assert.equal(sendingOf(text, ENDS), undefined, text);
  });
});

describe('the watch over what was sent', () => {
  /** What the kernel says after so many milliseconds; returns when the loss was told, and how often the kernel was asked. */
  function watched(
    says: (atMs: number) => Sending | undefined,
    endsAtMs = Infinity,
  ): { toldAtMs: number[]; asked: number } {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const socket = new Socket();
      const toldAtMs: number[] = [];
      let nowMs = 0;
      let asked = 0;
      const look = (): Sending | undefined => {
        asked += 1;
        return says(nowMs);
      };
      watchSending({ look, socket, onSwallowed: () => toldAtMs.push(nowMs), now: () => nowMs });
      for (; nowMs < 60_000; nowMs += 10) {
        if (nowMs === endsAtMs) socket.emit('close');
        mock.timers.tick(10);
      }
      assert.equal(socket.listenerCount('close'), 0);
      return { toldAtMs, asked };
    } finally {
      mock.timers.reset();
    }
  }

  it('tells once that nothing is acknowledged, however often it is sent', () => {
    // The time-out at 430 ms, what is sent then has 200 ms; a line ten times as slow.
    for (const [timeOutMs, fromMs, toMs] of [
      [430, 630, 800],
      [4_300, 6_300, 8_000],
    ] as const) {
      const { toldAtMs } = watched((atMs) => ({ unacknowledged: 869, timeouts: atMs < timeOutMs ? 0 : 1 }));
      assert.equal(toldAtMs.length, 1);
      assert.ok(toldAtMs[0]! >= fromMs && toldAtMs[0]! < toMs, String(toldAtMs));
    }
  });

  it('ends at the first look where all is acknowledged, however late the answer is', () => {
    assert.deepEqual(
      watched(() => ({ unacknowledged: 0, timeouts: 0 })),
      { toldAtMs: [], asked: 1 },
    );
  });

  it('says nothing while it goes on, however slowly and with however many losses', () => {
    // The kernel begins to count anew with each acknowledgement.
    const { toldAtMs, asked } = watched((atMs) => ({
      unacknowledged: Math.max(0, 9_000 - atMs),
      timeouts: Math.floor(atMs / 250) % 2,
    }));
    assert.deepEqual(toldAtMs, []);
    assert.ok(asked > 5 && asked < 40, String(asked));
    assert.deepEqual(
      watched((atMs) => ({ unacknowledged: atMs < 600 ? 869 : 0, timeouts: Number(atMs > 430) })).toldAtMs,
      [],
      'late',
    );
  });

  it('ends with the socket, with a kernel that says nothing, and after ten seconds', () => {
    const waits = { unacknowledged: 869, timeouts: 0 };
    assert.equal(watched(() => waits, 200).asked, 0);
    assert.equal(watched(() => undefined).asked, 1);
    const { toldAtMs, asked } = watched((atMs) => (atMs < 12_000 ? waits : { ...waits, timeouts: 1 }));
    assert.deepEqual(toldAtMs, []);
    assert.ok(asked < 40, String(asked));
  });
});
