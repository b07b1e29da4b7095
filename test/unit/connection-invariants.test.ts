/** The invariants of the connection machine over random event sequences, and machines that break them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Effect, Step } from '../../src/main/connection/state.js';
import { transition } from '../../src/main/connection/transition.js';
import { CODES, live, type Invariant, type Machine } from './connection-world.js';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 100_000);
const codes = fc.array(fc.nat(CODES - 1), { minLength: 1, maxLength: 48, size: 'max' });

const problems = (machine: Machine, sequence: readonly number[], visited?: Set<string>): string[] =>
  [...live(machine, sequence, visited).violations].map(([invariant, what]) => `invariant ${invariant}: ${what}`);

describe('the connection machine', () => {
  it(`keeps its invariants over ${RUNS} random event sequences`, (t) => {
    const visited = new Set<string>();
    let runs = 0;
    let events = 0;
    const startedMs = performance.now();
    const property = fc.property(codes, (sequence) => {
      runs += 1;
      events += sequence.length;
      assert.deepEqual(problems(transition, sequence, visited), []);
    });
    fc.assert(property, { numRuns: RUNS });
    const secs = ((performance.now() - startedMs) / 1000).toFixed(1);
    t.diagnostic(`${runs} sequences, ${events} events, ${visited.size} different transitions, ${secs} s`);
    // A walk that never gets anywhere would prove nothing.
    for (const edge of INTERESTING) assert.ok(visited.has(edge), `never seen: ${edge}`);
  });

  for (const [invariant, name, mutant] of mutants()) {
    it(`is caught when broken once: ${invariant}, ${name}`, (t) => {
      let runs = 0;
      const property = fc.property(codes, (sequence) => {
        runs += 1;
        return !live(mutant(), sequence).violations.has(invariant);
      });
      const { failed, counterexample } = fc.check(property, { numRuns: 20_000 });
      assert.ok(failed, 'the checker noticed nothing');
      t.diagnostic(`caught after ${runs} sequences (shrinking included), by ${counterexample?.[0].length} events`);
    });
  }
});

const INTERESTING = [
  'stopped -> connecting',
  'waiting-for-internet -> connecting',
  'waiting-for-internet -> stabilising',
  'stabilising -> waiting-for-internet',
  'stabilising -> connecting',
  'stabilising -> recovering',
  'stabilising -> spreading',
  'spreading -> connecting',
  'spreading -> recovering',
  'spreading -> backing-off',
  'spreading -> waiting-for-internet',
  'stopped -> spreading',
  'waiting-for-internet -> spreading',
  'connected -> spreading',
  'recovering -> spreading',
  'stabilising -> backing-off',
  'connecting -> connected',
  'connecting -> backing-off',
  'connecting -> waiting-for-internet',
  'connecting -> connecting',
  'connected -> recovering',
  'connected -> waiting-for-internet',
  'connected -> backing-off',
  'recovering -> connected',
  'recovering -> connecting',
  'recovering -> backing-off',
  'recovering -> waiting-for-internet',
  'backing-off -> connecting',
  'backing-off -> waiting-for-internet',
  ...['waiting-for-internet', 'stabilising', 'spreading', 'connecting', 'connected', 'recovering', 'backing-off'].map(
    (kind) => `${kind} -> stopped`,
  ),
];

/** Machines that behave, but for one slip at the first opportunity. */
function mutants(): [Invariant, string, () => Machine][] {
  const once = (slip: (step: Step, ...of: Parameters<Machine>) => Step | undefined) => (): Machine => {
    let slipped = false;
    return (state, event, context) => {
      const step = transition(state, event, context);
      const wrong = slipped ? undefined : slip(step, state, event, context);
      if (!wrong) return step;
      slipped = true;
      return wrong;
    };
  };
  const without = ([state, effects]: Step, kind: Effect['kind']): Step | undefined =>
    effects.some((effect) => effect.kind === kind)
      ? [state, effects.filter((effect) => effect.kind !== kind)]
      : undefined;

  return [
    [
      1,
      'connects without waiting for the internet to settle',
      once(([next, effects], _before, _event, context) => {
        if (next.kind !== 'stabilising' || next.untilMs <= context.nowMs) return undefined;
        const [hasty, more] = transition(next, { kind: 'timer' }, { ...context, nowMs: next.untilMs });
        return [hasty, [...effects, ...more]];
      }),
    ],
    [1, 'leaves the socket open when the internet is lost', once((step) => without(step, 'suspend'))],
    [
      2,
      'lets a session live that opened after it was given up',
      once((step, _before, event) => (event.kind === 'opened' ? without(step, 'dispose') : undefined)),
    ],
    [
      3,
      'overhears that the internet is back',
      once((_step, before, event) =>
        event.kind === 'internet' && event.online && before.kind === 'waiting-for-internet' ? [before, []] : undefined,
      ),
    ],
    [
      4,
      'leaves its timer behind when stopped',
      once((step, _before, event) => (event.kind === 'stop' ? without(step, 'disarm-timer') : undefined)),
    ],
    [
      5,
      'forgets its failures on connecting, not after a stable minute',
      once(([next, effects]) =>
        next.kind === 'connected' && next.memory.failures > 0
          ? [{ ...next, memory: { ...next.memory, failures: 0 } }, effects]
          : undefined,
      ),
    ],
    [
      5,
      'forgets in an outage that the service asked for a pause',
      once(([next, effects]) =>
        next.kind === 'waiting-for-internet' && next.memory.heldOff
          ? [{ ...next, memory: { ...next.memory, heldOff: undefined } }, effects]
          : undefined,
      ),
    ],
    [
      6,
      'awaits an attempt without a deadline',
      once(([next, effects]) =>
        next.kind === 'connecting'
          ? [{ ...next, untilMs: Infinity }, effects.filter(({ kind }) => kind !== 'arm-timer')]
          : undefined,
      ),
    ],
    [
      7,
      'gives the session up when the internet is lost, instead of keeping it for recovery',
      once(([next, effects], before, event) =>
        event.kind === 'internet' && before.kind === 'connected' && next.kind === 'waiting-for-internet' && next.held
          ? [
              { ...next, held: undefined },
              effects.flatMap((effect): Effect[] => {
                if (effect.kind === 'arm-timer') return [];
                return effect.kind === 'suspend' ? [{ kind: 'dispose', session: effect.session }] : [effect];
              }),
            ]
          : undefined,
      ),
    ],
    [
      9,
      'returns with all the others as soon as the internet has settled',
      once(([next, effects]) =>
        next.kind === 'stabilising' && next.spreadMs > 0 ? [{ ...next, spreadMs: 0 }, effects] : undefined,
      ),
    ],
    [
      9,
      'replaces a session that the service ended at once',
      once(([next, effects], before, event, context) => {
        if (next.kind !== 'spreading' || event.kind !== 'session-ended' || before.kind === 'spreading')
          return undefined;
        const [hasty, more] = transition(next, { kind: 'timer' }, { ...context, nowMs: next.untilMs });
        return [hasty, [...effects, ...more]];
      }),
    ],
    [
      9,
      'resumes a session at once after the service closed its socket',
      once(([next, effects], _before, event, context) => {
        if (next.kind !== 'recovering' || event.kind !== 'session-interrupted') return undefined;
        if (next.resumesAtMs === undefined) return undefined;
        const [hasty, more] = transition(next, { kind: 'timer' }, { ...context, nowMs: next.resumesAtMs });
        return [hasty, [...effects, ...more]];
      }),
    ],
    [
      9,
      'puts a return off after a short outage, too',
      once(([next, effects], before) =>
        before.kind === 'waiting-for-internet' && next.kind === 'stabilising' && next.spreadMs === 0
          ? [{ ...next, spreadMs: 5_000 }, effects]
          : undefined,
      ),
    ],
  ];
}
