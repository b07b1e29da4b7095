/** In which way the site is asked next. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIRST_MANNER, learnManner, mannerOfNew, type Manner } from '../../src/workers/probe/manner.js';
import type { HttpsEvidence } from '../../src/workers/protocol.js';

const tried = (more: Partial<HttpsEvidence>): HttpsEvidence => ({
  phase: 'https',
  ok: false,
  ms: 1,
  addressesFrom: 'dns',
  reused: false,
  ...more,
});
const answered = (status: number): HttpsEvidence => tried({ ok: true, status });
const GET: Manner = { method: 'GET', protocol: 'h2' };
const HTTP1: Manner = { method: 'HEAD', protocol: 'http/1.1' };
const PLAIN_GET: Manner = { method: 'GET', protocol: 'http/1.1' };
const AFTER_SILENCE: Manner = { ...PLAIN_GET, silence: 'once' };
const NO_PROTOCOL = { failedAt: 'tls', error: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' } as const;

describe('the manner of asking', () => {
  const rows: readonly [string, Manner, readonly HttpsEvidence[], Manner][] = [
    ['an answer', FIRST_MANNER, [answered(200)], FIRST_MANNER],
    ['405', FIRST_MANNER, [answered(405)], GET],
    ['501', FIRST_MANNER, [answered(501)], GET],
    ['405 to GET, which is an answer as well', GET, [answered(405)], GET],
    ['500', FIRST_MANNER, [answered(500)], FIRST_MANNER],
    ['405 where HTTP/1.1 is spoken', HTTP1, [answered(405)], PLAIN_GET],
    // Whichever it hangs on, the other of both is asked next.
    ['silence', FIRST_MANNER, [tried({ failedAt: 'http', error: 'ETIMEDOUT' })], AFTER_SILENCE],
    ['silence to both', AFTER_SILENCE, [tried({ failedAt: 'http', error: 'ETIMEDOUT' })], FIRST_MANNER],
    ['silence to GET, which was refused as HEAD', GET, [tried({ failedAt: 'http', error: 'ETIMEDOUT' })], FIRST_MANNER],
    ['a kept connection that died', FIRST_MANNER, [tried({ reused: true, failedAt: 'http' })], FIRST_MANNER],
    [
      'a kept one that died and an answer beside it',
      FIRST_MANNER,
      [tried({ reused: true, failedAt: 'http' }), answered(200)],
      FIRST_MANNER,
    ],
    ['no way to the site', FIRST_MANNER, [tried({ failedAt: 'tcp', error: 'ETIMEDOUT' })], FIRST_MANNER],
    ['no common protocol', FIRST_MANNER, [tried(NO_PROTOCOL)], HTTP1],
    ['no common protocol any more', HTTP1, [tried(NO_PROTOCOL)], FIRST_MANNER],
    ['nothing tried, as no name was found', FIRST_MANNER, [], FIRST_MANNER],
  ];
  it('405 over HTTP/2 is an answer like any other', () =>
    assert.deepEqual(learnManner(FIRST_MANNER, [answered(405)], true), FIRST_MANNER));

  for (const [name, before, tries, after] of rows)
    it(`${before.method} over ${before.protocol}, ${name}: ${after.method} over ${after.protocol}`, () =>
      assert.deepEqual(learnManner(before, tries), after));

  describe("that one silence has taught, which may have been the line's", () => {
    const SILENCE = tried({ failedAt: 'http', error: 'ETIMEDOUT' });
    /** Checks, each over a new connection or a kept one, and whether there is an answer. The methods of those. */
    const asked = (
      ...checks: readonly (readonly ['new' | 'kept', answers: (manner: Manner) => boolean])[]
    ): string[] => {
      let manner = FIRST_MANNER;
      return checks.map(([connection, answers]) => {
        if (connection === 'new') manner = mannerOfNew(manner);
        const { method, protocol } = manner;
        manner = learnManner(manner, [answers(manner) ? answered(200) : SILENCE]);
        return `${method} ${protocol}`;
      });
    };
    const [first, other] = ['HEAD h2', 'GET http/1.1'];
    const always = (): boolean => true;
    const never = (): boolean => false;
    const onlyGet = ({ method }: Manner): boolean => method === 'GET';

    it('the first is tried once more over the next connection, and stays where it was the line', () =>
      assert.deepEqual(
        asked(['new', never], ['new', always], ['kept', always], ['new', always], ['kept', always], ['new', always]),
        [first, other, other, first, first, first],
      ));

    it('where it is the site, it is asked in the other from then on', () =>
      assert.deepEqual(
        asked(
          ['new', onlyGet],
          ['new', onlyGet],
          ['new', onlyGet],
          ['new', onlyGet],
          ['kept', onlyGet],
          ['new', onlyGet],
        ),
        [first, other, first, other, other, other],
      ));
  });
});
