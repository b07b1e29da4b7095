/** Decisions of the connection machine as scripts: what happens, and what the machine then does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DEFAULT_POLICY,
  deadlineOf,
  initialState,
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
} from '../../src/main/connection/state.js';
import { spreadOfAtMost } from '../../src/main/connection/spread.js';
import { narrate } from '../../src/main/connection/narration.js';
import { transition } from '../../src/main/connection/transition.js';
import type { OfflineReason } from '../../src/workers/protocol.js';

const SECS = 1000;
const online: ConnectionEvent = { kind: 'internet', online: true };
const offline: ConnectionEvent = { kind: 'internet', online: false, reason: 'dns-timeout' };
const timer: ConnectionEvent = { kind: 'timer' };
const start = (verdict: 'unknown' | 'online' | 'offline'): ConnectionEvent => ({ kind: 'start', verdict });
const opened = (attempt: number): ConnectionEvent => ({ kind: 'opened', attempt });
const failed = (attempt: number): ConnectionEvent => ({
  kind: 'open-failed',
  attempt,
  failure: { kind: 'failed', message: 'handshake timed out' },
});
const refused = (attempt: number): ConnectionEvent => ({
  kind: 'open-failed',
  attempt,
  failure: { kind: 'refused', status: 401, message: 'Unauthorized' },
});
const throttled = (attempt: number, retryAfterMs: number): ConnectionEvent => ({
  kind: 'open-failed',
  attempt,
  failure: { kind: 'throttled', retryAfterMs, message: 'Too Many Requests' },
});
const interrupted = (session: number): Extract<ConnectionEvent, { kind: 'session-interrupted' }> => ({
  kind: 'session-interrupted',
  session,
  message: 'closed',
  cause: { kind: 'silent' },
});
const recoveryFailed = (session: number): ConnectionEvent => ({ kind: 'recovery-failed', session });
const recovered = (session: number): ConnectionEvent => ({ kind: 'session-recovered', session });
const ended = (session: number): Extract<ConnectionEvent, { kind: 'session-ended' }> => ({
  kind: 'session-ended',
  session,
  message: 'dead',
  cause: { kind: 'silent' },
});
const stop: ConnectionEvent = { kind: 'stop' };
const credentialsChanged: ConnectionEvent = { kind: 'credentials-changed' };

const word = (effect: Effect): string => {
  switch (effect.kind) {
    case 'open':
    case 'abandon':
      return `${effect.kind} ${effect.attempt}`;
    case 'suspend':
    case 'resume':
    case 'dispose':
    case 'announce':
      return `${effect.kind} ${effect.session}`;
    case 'note':
      return `note ${effect.note.kind}`;
    case 'arm-timer':
    case 'disarm-timer':
      return effect.kind;
    case 'request-check':
      return effect.fresh ? 'fresh-check' : 'request-check';
  }
};
/** The effects that reach a socket or the monitor. */
const deeds = (effects: readonly Effect[]): string =>
  effects
    .map(word)
    .filter((effect) => !/^(note|arm|disarm)/.test(effect))
    .join(', ');

/** [seconds since the start, event, state afterwards, effects on the world]. */
type Line = readonly [atSecs: number, event: ConnectionEvent, kind: ConnectionState['kind'], deeds: string];

function play(lines: readonly Line[], policy = DEFAULT_POLICY, random = 0): ConnectionState {
  let state = initialState(policy);
  for (const [atSecs, event, kind, expected] of lines) {
    const [next, effects] = transition(state, event, { nowMs: atSecs * SECS, random });
    assert.deepEqual([next.kind, deeds(effects)], [kind, expected], `at ${atSecs} s, ${event.kind}`);
    state = next;
  }
  return state;
}

const scripts: Record<string, readonly Line[]> = {
  'nothing before the first verdict; at once when it is online': [
    [0, start('unknown'), 'waiting-for-internet', ''],
    [500, timer, 'waiting-for-internet', ''],
    [501, online, 'connecting', 'open 1'],
    [502, opened(1), 'connected', 'announce 1'],
  ],
  'online at start: at once': [[0, start('online'), 'connecting', 'open 1']],
  'offline at start: settles first when the internet comes': [
    [0, start('unknown'), 'waiting-for-internet', ''],
    [1, offline, 'waiting-for-internet', ''],
    [2, online, 'stabilising', ''],
    [4.999, timer, 'stabilising', ''],
    [5, timer, 'connecting', 'open 1'],
  ],
  'lost again while settling': [
    [0, start('offline'), 'waiting-for-internet', ''],
    [1, online, 'stabilising', ''],
    [3, offline, 'waiting-for-internet', ''],
    [4, timer, 'waiting-for-internet', ''],
    [6, online, 'stabilising', ''],
    [9, timer, 'connecting', 'open 1'],
  ],
  'lost while connecting: abandoned at once, and what comes of it is thrown away': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, offline, 'waiting-for-internet', 'abandon 1'],
    [2, opened(1), 'waiting-for-internet', 'dispose 1'],
    [3, failed(1), 'waiting-for-internet', ''],
  ],
  'a short outage is recovered, and not announced again': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, offline, 'waiting-for-internet', 'suspend 1'],
    [10.1, interrupted(1), 'waiting-for-internet', ''],
    [30, online, 'stabilising', ''],
    [33, timer, 'recovering', 'resume 1'],
    [34, recovered(1), 'connected', ''],
  ],
  'a longer outage: the session is let go after its window, and a fresh one opened': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, offline, 'waiting-for-internet', 'suspend 1'],
    [65, timer, 'waiting-for-internet', 'dispose 1'],
    [100, online, 'stabilising', ''],
    [103, timer, 'connecting', 'open 2'],
  ],
  'the window ends while the internet settles': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, offline, 'waiting-for-internet', 'suspend 1'],
    [63, online, 'stabilising', ''],
    [65, timer, 'stabilising', 'dispose 1'],
    [66, timer, 'connecting', 'open 2'],
  ],
  'after an outage the service has forgotten the session: a fresh attempt at once, no failure': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, offline, 'waiting-for-internet', 'suspend 1'],
    [30, online, 'stabilising', ''],
    [33, timer, 'recovering', 'resume 1'],
    [34, ended(1), 'connecting', 'dispose 1, open 2'],
  ],
  'an unasked close is recovered; the monitor looks at once': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, interrupted(1), 'recovering', 'fresh-check'],
    [11, recovered(1), 'connected', ''],
  ],
  'an unasked close that was the internet: suspended, then recovered': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, interrupted(1), 'recovering', 'fresh-check'],
    [12, offline, 'waiting-for-internet', 'suspend 1'],
    [20, online, 'stabilising', ''],
    [23, timer, 'recovering', 'resume 1'],
    [24, recovered(1), 'connected', ''],
  ],
  'recovery without success is a failure': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, interrupted(1), 'recovering', 'fresh-check'],
    [40, timer, 'backing-off', 'dispose 1, fresh-check'],
    [55, timer, 'connecting', 'open 2'],
  ],
  'a socket for the recovery that could not be opened asks for evidence from a new connection': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [2, recoveryFailed(1), 'connected', ''],
    [10, interrupted(1), 'recovering', 'fresh-check'],
    [11, recoveryFailed(7), 'recovering', ''],
    [12, recoveryFailed(1), 'recovering', 'fresh-check'],
    [13, recoveryFailed(1), 'recovering', 'fresh-check'],
    [14, offline, 'waiting-for-internet', 'suspend 1'],
    [14, recoveryFailed(1), 'waiting-for-internet', ''],
  ],
  'a session that ends young is a failure, also in recovery': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [10, interrupted(1), 'recovering', 'fresh-check'],
    [11, ended(1), 'backing-off', 'dispose 1, fresh-check'],
  ],
  'a stable session that the service forgets in recovery is replaced at once': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [61, interrupted(1), 'recovering', 'fresh-check'],
    [62, ended(1), 'connecting', 'dispose 1, open 2'],
  ],
  'an attempt that never ends is abandoned': [
    [0, start('online'), 'connecting', 'open 1'],
    [45, timer, 'backing-off', 'abandon 1, fresh-check'],
    [60, timer, 'connecting', 'open 2'],
  ],
  'failures back off, and only a stable minute forgets them': [
    [0, start('online'), 'connecting', 'open 1'],
    [0, failed(1), 'backing-off', 'fresh-check'],
    [14.9, timer, 'backing-off', ''],
    [15, timer, 'connecting', 'open 2'],
    [15, opened(2), 'connected', 'announce 2'],
    [70, ended(2), 'backing-off', 'dispose 2, request-check'],
    [99, timer, 'backing-off', ''],
    [100, timer, 'connecting', 'open 3'],
    [100, opened(3), 'connected', 'announce 3'],
    [160, ended(3), 'backing-off', 'dispose 3, request-check'],
    [175, timer, 'connecting', 'open 4'],
  ],
  'stability is connected time: a recovery does not set it back, the time it takes does not count': [
    [0, start('online'), 'connecting', 'open 1'],
    [0, failed(1), 'backing-off', 'fresh-check'],
    [15, timer, 'connecting', 'open 2'],
    [15, opened(2), 'connected', 'announce 2'],
    [45, interrupted(2), 'recovering', 'fresh-check'],
    [65, recovered(2), 'connected', ''],
    [95, ended(2), 'backing-off', 'dispose 2, request-check'],
    [110, timer, 'connecting', 'open 3'],
  ],
  'an outage cancels an ordinary retry; on return it is tried at once, and the count goes on': [
    [0, start('online'), 'connecting', 'open 1'],
    [0, failed(1), 'backing-off', 'fresh-check'],
    [1, offline, 'waiting-for-internet', ''],
    [16, timer, 'waiting-for-internet', ''],
    [20, online, 'stabilising', ''],
    [23, timer, 'connecting', 'open 2'],
    [23, failed(2), 'backing-off', 'fresh-check'],
    [52, timer, 'backing-off', ''],
    [53, timer, 'connecting', 'open 3'],
  ],
  'flapping does not shorten the wait after a refusal': [
    [0, start('online'), 'connecting', 'open 1'],
    [0, refused(1), 'backing-off', ''],
    [5, offline, 'waiting-for-internet', ''],
    [10, online, 'stabilising', ''],
    [13, timer, 'backing-off', ''],
    [20, offline, 'waiting-for-internet', ''],
    [30, online, 'stabilising', ''],
    [33, timer, 'backing-off', ''],
    [59, timer, 'backing-off', ''],
    [60, timer, 'connecting', 'open 2'],
    [60, refused(2), 'backing-off', ''],
    [180, timer, 'connecting', 'open 3'],
  ],
  'Retry-After is obeyed through an outage, new credentials and a restart': [
    [0, start('online'), 'connecting', 'open 1'],
    [0, throttled(1, 600_000), 'backing-off', ''],
    [10, offline, 'waiting-for-internet', ''],
    [20, credentialsChanged, 'waiting-for-internet', ''],
    [30, online, 'stabilising', ''],
    [33, timer, 'backing-off', ''],
    [40, credentialsChanged, 'backing-off', ''],
    [50, stop, 'stopped', ''],
    [60, start('online'), 'backing-off', ''],
    [600, timer, 'connecting', 'open 2'],
  ],
  'new credentials end the wait after a refusal and start its schedule anew': [
    [0, start('online'), 'connecting', 'open 1'],
    [0, refused(1), 'backing-off', ''],
    [60, timer, 'connecting', 'open 2'],
    [60, refused(2), 'backing-off', ''],
    [70, credentialsChanged, 'connecting', 'open 3'],
    [70, refused(3), 'backing-off', ''],
    [130, timer, 'connecting', 'open 4'],
  ],
  'new credentials replace an attempt that uses the old ones': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, credentialsChanged, 'connecting', 'abandon 1, open 2'],
    [2, refused(1), 'connecting', ''],
    [3, opened(2), 'connected', 'announce 2'],
    [4, credentialsChanged, 'connected', ''],
  ],
  'stop while connected': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [2, stop, 'stopped', 'dispose 1'],
    [3, online, 'stopped', ''],
    [4, ended(1), 'stopped', ''],
    [5, start('online'), 'connecting', 'open 2'],
  ],
  'stop while connecting, holding, recovering': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, stop, 'stopped', 'abandon 1'],
    [2, opened(1), 'stopped', 'dispose 1'],
    [3, start('online'), 'connecting', 'open 2'],
    [4, opened(2), 'connected', 'announce 2'],
    [5, offline, 'waiting-for-internet', 'suspend 2'],
    [6, stop, 'stopped', 'dispose 2'],
    [7, start('online'), 'connecting', 'open 3'],
    [8, opened(3), 'connected', 'announce 3'],
    [9, interrupted(3), 'recovering', 'fresh-check'],
    [10, stop, 'stopped', 'dispose 3'],
  ],
  'what concerns a session that was given up changes nothing': [
    [0, start('online'), 'connecting', 'open 1'],
    [1, opened(1), 'connected', 'announce 1'],
    [2, ended(1), 'backing-off', 'dispose 1, request-check'],
    [17, timer, 'connecting', 'open 2'],
    [18, opened(2), 'connected', 'announce 2'],
    [19, interrupted(1), 'connected', ''],
    [20, ended(1), 'connected', ''],
    [21, recovered(1), 'connected', ''],
    [22, opened(2), 'connected', ''],
    [23, opened(1), 'connected', 'dispose 1'],
  ],
};

/** What is put off, half-way between 0 and its bound: the same lines with `random` 0.5. */
const closed = { kind: 'service', code: 1001 } as const;
const gone = { kind: 'service', code: 1008 } as const;
const lost = (reason: OfflineReason): ConnectionEvent => ({ kind: 'internet', online: false, reason });
const connectedSince0: readonly Line[] = [
  [0, start('online'), 'connecting', 'open 1'],
  [0, opened(1), 'connected', 'announce 1'],
];

const spread: Record<string, readonly Line[]> = {
  'a return from ten minutes of silence: up to a minute beyond stabilisation': [
    ...connectedSince0,
    [100, lost('dns-timeout'), 'waiting-for-internet', 'suspend 1'],
    [155, timer, 'waiting-for-internet', 'dispose 1'],
    [700, online, 'stabilising', ''],
    [703, timer, 'spreading', ''],
    [732.9, timer, 'spreading', ''],
    [733, timer, 'connecting', 'open 2'],
  ],
  'from two minutes: up to twelve seconds': [
    [0, { kind: 'start', verdict: 'offline', reason: 'tcp-timeout' }, 'waiting-for-internet', ''],
    [120, online, 'stabilising', ''],
    [123, timer, 'spreading', ''],
    [129, timer, 'connecting', 'open 1'],
  ],
  'a line that was gone for 15 s, a cable that was out for an hour: as ever': [
    ...connectedSince0,
    [100, lost('dns-timeout'), 'waiting-for-internet', 'suspend 1'],
    [115, online, 'stabilising', ''],
    [118, timer, 'recovering', 'resume 1'],
    [119, recovered(1), 'connected', ''],
    [200, lost('no-link'), 'waiting-for-internet', 'suspend 1'],
    [255, timer, 'waiting-for-internet', 'dispose 1'],
    [3800, online, 'stabilising', ''],
    [3803, timer, 'connecting', 'open 2'],
    [3804, opened(2), 'connected', 'announce 2'],
    [4000, lost('no-route'), 'waiting-for-internet', 'suspend 2'],
    [4055, timer, 'waiting-for-internet', 'dispose 2'],
    [9000, online, 'stabilising', ''],
    [9003, timer, 'connecting', 'open 3'],
  ],
  'a region that flaps had one outage, however often it came back for a moment': [
    ...connectedSince0,
    [100, lost('dns-timeout'), 'waiting-for-internet', 'suspend 1'],
    [155, timer, 'waiting-for-internet', 'dispose 1'],
    [400, online, 'stabilising', ''],
    [402, lost('no-link'), 'waiting-for-internet', ''],
    [410, online, 'stabilising', ''],
    [413, timer, 'spreading', ''],
    [420, lost('dns-failed'), 'waiting-for-internet', ''],
    [430, online, 'stabilising', ''],
    [433, timer, 'spreading', ''],
    // Half of a tenth of the 330 s since 100 s.
    [449.4, timer, 'spreading', ''],
    [449.5, timer, 'connecting', 'open 2'],
  ],
  'a resumption is put off by no more than the session is worth': [
    ...connectedSince0,
    [100, lost('dns-timeout'), 'waiting-for-internet', 'suspend 1'],
    // 4 s are left of the 30 s that the service promises, when it has settled: at most half of them.
    [123, online, 'stabilising', ''],
    [126, timer, 'spreading', ''],
    [127, timer, 'recovering', 'resume 1'],
  ],
  'the service closes the socket: resumed within 5 s, by one suspension': [
    ...connectedSince0,
    [100, { ...interrupted(1), cause: closed }, 'recovering', 'suspend 1, request-check'],
    [102.4, timer, 'recovering', ''],
    [102.5, timer, 'recovering', 'resume 1'],
    [103, recovered(1), 'connected', ''],
  ],
  'it breaks off without a farewell: the service may have fallen over': [
    ...connectedSince0,
    [100, { ...interrupted(1), cause: { kind: 'broken' } }, 'recovering', 'suspend 1, request-check'],
    [102.5, timer, 'recovering', 'resume 1'],
  ],
  'silence, or a message of ours: nobody else met that, so it is resumed at once': [
    ...connectedSince0,
    [100, interrupted(1), 'recovering', 'fresh-check'],
    [101, recovered(1), 'connected', ''],
    [200, { ...interrupted(1), cause: { kind: 'own' } }, 'recovering', 'request-check'],
  ],
  'the service restarts and knows no session: a new one within 30 s, and no failure': [
    ...connectedSince0,
    [100, { ...interrupted(1), cause: closed }, 'recovering', 'suspend 1, request-check'],
    [102.5, timer, 'recovering', 'resume 1'],
    [103, { ...ended(1), cause: gone }, 'spreading', 'dispose 1'],
    [117.9, timer, 'spreading', ''],
    [118, timer, 'connecting', 'open 2'],
  ],
  'the service ends the session itself: the same': [
    ...connectedSince0,
    [100, { ...ended(1), cause: gone }, 'spreading', 'dispose 1, request-check'],
    [115, timer, 'connecting', 'open 2'],
    [116, opened(2), 'connected', 'announce 2'],
    // A young one that ends is a failure, whoever ended it: half-way between a second and 15.
    [120, { ...ended(2), cause: gone }, 'backing-off', 'dispose 2, request-check'],
    [127.9, timer, 'backing-off', ''],
    [128, timer, 'connecting', 'open 3'],
  ],
  'a session that dies in the recovery after an outage is replaced at once: the return was spread': [
    ...connectedSince0,
    [100, lost('dns-timeout'), 'waiting-for-internet', 'suspend 1'],
    [140, online, 'stabilising', ''],
    [143, timer, 'spreading', ''],
    [145, timer, 'recovering', 'resume 1'],
    [146, { ...ended(1), cause: gone }, 'connecting', 'dispose 1, open 2'],
  ],
  'the internet goes while a resumption is put off': [
    ...connectedSince0,
    [100, { ...interrupted(1), cause: closed }, 'recovering', 'suspend 1, request-check'],
    [101, lost('dns-timeout'), 'waiting-for-internet', 'suspend 1'],
    [105, online, 'stabilising', ''],
    [108, timer, 'recovering', 'resume 1'],
  ],
  'a boot: up to 15 s, whether the first verdict is there or comes': [
    [0, { kind: 'start', verdict: 'online', boot: true }, 'spreading', ''],
    [7.5, timer, 'connecting', 'open 1'],
    [8, stop, 'stopped', 'abandon 1'],
    [100, { kind: 'start', verdict: 'unknown', boot: true }, 'waiting-for-internet', ''],
    [101, online, 'spreading', ''],
    [108.5, timer, 'connecting', 'open 2'],
    [109, stop, 'stopped', 'abandon 2'],
    // Its router boots as well, and so do those of the neighbours.
    [200, { kind: 'start', verdict: 'offline', reason: 'no-route', boot: true }, 'waiting-for-internet', ''],
    [230, online, 'stabilising', ''],
    [233, timer, 'spreading', ''],
    [240.5, timer, 'connecting', 'open 3'],
    [241, lost('no-route'), 'waiting-for-internet', 'abandon 3'],
    [300, online, 'stabilising', ''],
    [303, timer, 'connecting', 'open 4'],
  ],
  'whoever asks for it now gets it now': [
    [0, { kind: 'start', verdict: 'online', boot: true }, 'spreading', ''],
    [1, credentialsChanged, 'connecting', 'open 1'],
  ],
};

describe('the connection machine decides', () => {
  for (const [name, lines] of Object.entries(scripts)) it(name, () => void play(lines));
  for (const [name, lines] of Object.entries(spread))
    it(`spread: ${name}`, () => void play(lines, DEFAULT_POLICY, 0.5));

  it('spreads nothing if it is told so: returnSpreadSecs = 0', () => {
    const none = { ...DEFAULT_POLICY, spread: spreadOfAtMost(0) };
    play(
      [
        [0, { kind: 'start', verdict: 'online', boot: true }, 'connecting', 'open 1'],
        [0, opened(1), 'connected', 'announce 1'],
        [100, { ...interrupted(1), cause: closed }, 'recovering', 'request-check'],
        [101, { ...ended(1), cause: gone }, 'connecting', 'dispose 1, open 2'],
        [102, offline, 'waiting-for-internet', 'abandon 2'],
        [2_000, online, 'stabilising', ''],
        [2_003, timer, 'connecting', 'open 3'],
      ],
      none,
      0.5,
    );
    assert.deepEqual(spreadOfAtMost(10_000), { returnMs: 10_000, closeMs: 10_000, recoveryMs: 5_000, bootMs: 10_000 });
  });

  it('what this machine refuses does not grow the wait: nobody has heard of it', () => {
    const noHandle = (attempt: number): ConnectionEvent => ({
      kind: 'open-failed',
      attempt,
      failure: { kind: 'failed', message: 'no handle', refusal: 'EMFILE' },
    });
    const state = play([
      [0, start('online'), 'connecting', 'open 1'],
      [0, failed(1), 'backing-off', 'fresh-check'],
      ...[0, 1, 2, 3, 4, 5].flatMap((n): readonly Line[] => [
        [15 * n + 15, timer, 'connecting', `open ${n + 2}`],
        // Nor is the internet in doubt because of it.
        [15 * n + 15, noHandle(n + 2), 'backing-off', ''],
      ]),
      [105, timer, 'connecting', 'open 8'],
      [105, failed(8), 'backing-off', 'fresh-check'],
      [134, timer, 'backing-off', ''],
      [135, timer, 'connecting', 'open 9'],
    ]);
    assert.equal(state.memory.failures, 2);
  });

  it('what this machine refuses is a warning once', () => {
    const refusedWith = (before: ConnectionState, refusal: string): [ConnectionState, unknown] => {
      const [connecting] = transition(before, timer, { nowMs: 1e6, random: 0 });
      const attempt = connecting.kind === 'connecting' ? connecting.attempt : -1;
      const failure = { kind: 'failed', message: 'no', refusal } as const;
      const [state, effects] = transition(
        connecting,
        { kind: 'open-failed', attempt, failure },
        { nowMs: 1e6, random: 0 },
      );
      const notes = effects.flatMap((effect) => (effect.kind === 'note' ? [narrate(effect.note).level] : []));
      return [{ ...state, ...(state.kind === 'backing-off' ? { untilMs: 0 } : {}) }, notes];
    };
    let state = play([
      [0, start('online'), 'connecting', 'open 1'],
      [0, failed(1), 'backing-off', 'fresh-check'],
    ]);
    const levels = ['EMFILE', 'EMFILE', 'EMFILE', 'ENOBUFS'].map((code) => {
      const [next, notes] = refusedWith(state, code);
      state = next;
      return notes;
    });
    assert.deepEqual(levels, [['warn'], ['debug'], ['debug'], ['warn']]);
  });

  it('warns and promises when the first verdict is offline', () => {
    for (const [before, event] of [
      [initialState(), start('offline')],
      [play([[0, start('unknown'), 'waiting-for-internet', '']]), offline],
    ] as const) {
      const [, effects] = transition(before, event, { nowMs: 0, random: 0 });
      assert.deepEqual(effects.map(word), ['note offline-at-start', 'note will-connect']);
    }
  });

  it('changes its timings while running, from the next wait on', () => {
    const settling = play([
      [0, start('offline'), 'waiting-for-internet', ''],
      [1, { kind: 'reconfigure', policy: { ...DEFAULT_POLICY, stabilizationMs: 10_000 } }, 'waiting-for-internet', ''],
      [2, online, 'stabilising', ''],
    ]);
    assert.equal(deadlineOf(settling), 12_000);
  });

  it('arms a timer that fired too early again', () => {
    const state = play([
      [0, start('offline'), 'waiting-for-internet', ''],
      [1, online, 'stabilising', ''],
    ]);
    const [, effects] = transition(state, timer, { nowMs: 3_999.5, random: 0 });
    assert.deepEqual(effects, [{ kind: 'arm-timer', atMs: 4_000 }]);
  });

  it('says nothing and does nothing when a verdict is repeated', () => {
    const connected = play([
      [0, start('online'), 'connecting', 'open 1'],
      [1, opened(1), 'connected', 'announce 1'],
    ]);
    assert.deepEqual(transition(connected, online, { nowMs: 2_000, random: 0 }), [connected, []]);
    const waiting = play([[0, start('offline'), 'waiting-for-internet', '']]);
    assert.deepEqual(transition(waiting, offline, { nowMs: 2_000, random: 0 }), [waiting, []]);
  });
});
