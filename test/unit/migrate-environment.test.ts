/** The service's environment file, as systemd reads it, and the old installation's variables. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readCompose } from '../../src/main/cli/migrate/compose.js';
import { fillIn, readEnvironmentFile } from '../../src/main/settings/environment-file.js';
import { interpolated, oldVariables } from '../../src/main/cli/migrate/old-variables.js';

describe('an environment file', () => {
  for (const [what, text, value] of [
    ['plain', 'A=b c  ', 'b c'],
    ['a sign of comment within', 'A=b #c', 'b #c'],
    ['single quotes, nothing escapes', String.raw`A='b\"$c'`, String.raw`b\"$c`],
    ['double quotes, four signs escape', 'A="\\"\\\\\\$\\`\\n"', '"\\$`\\n'],
    ['quotes that are put together', `A='b'"c"`, 'bc'],
    ['quotes in the middle are signs', `A=b"c"`, 'b"c"'],
    ['a backslash outside of quotes', String.raw`A=b\ \#`, 'b #'],
    ['a line that goes on', 'A=b\\\nc', 'bc'],
    ['a value over lines', 'A="b\nc"', 'b\nc'],
    ['a comment that goes on', '# x\\\nA=no\nA=yes', 'yes'],
    ['the last one counts', 'A=1\n;A=2\nA=3', '3'],
    ['Windows line ends', 'A=b\r\n', 'b'],
    ['nothing', 'A=', ''],
  ] as const) {
    it(`is read as systemd does it: ${what}`, () => {
      assert.equal(readEnvironmentFile(text).get('A'), value);
    });
  }

  it('gives back whatever was filled in, and leaves every other line alone', () => {
    const name = fc.constantFrom('A', 'B', 'C');
    const value = fc.string({
      unit: fc.constantFrom('a', ' ', '"', "'", '\\', '$', '`', '#', ';', '=', '\n', '\t', 'é'),
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.boolean(), (variables, ended) => {
        const before = `# B=no\nA=\nKEPT="x y" \n\n; end${ended ? '\n' : ''}`;
        const filled = fillIn(before, new Map(Object.entries(variables)), 'from there');
        assert.deepEqual(Object.fromEntries(readEnvironmentFile(filled)), { A: '', KEPT: 'x y', ...variables });
        assert.ok(filled.startsWith('# B=no\nA='));
        assert.ok(filled.includes('KEPT="x y" \n\n; end'));
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps what is set to something', () => {
    assert.equal(fillIn('A=1\n', new Map([['A', '2']]), 'x'), 'A=1\n');
    assert.equal(fillIn('', new Map([['A', '2']]), 'x'), '# x\nA=2\n');
    assert.equal(fillIn('A=1\nA=\n', new Map([['A', '2']]), 'x'), 'A=1\nA=2\n', 'the last one is what counts');
  });
});

describe("the old installation's variables", () => {
  it('are filled in as Docker Compose does it', () => {
    const known = new Map([['A', 'x']]);
    for (const [written, value] of [
      ['$A-${A}-$$A', 'x-x-$A'],
      ['${A:-y}${B:-y}${B-z}${B}', 'xyz'],
      ['${A:?must}', undefined],
      ['cost: 5$', undefined],
    ] as const) {
      assert.equal(interpolated(written, known), value, written);
    }
  });

  it('are those of the service before those of its files, the last file first, and the container for the rest', () => {
    const reading = readCompose(`services:
  remote:
    image: x/dunebugger-remote
    env_file: [one.env, two.env, gone.env]
    environment: ["DEVICE_ID=\${NAME:-pi}", "WS_GROUP_NAME=\${NAME:?}"]
`);
    const service = reading.kind === 'services' ? reading.services[0]! : assert.fail();
    const files: Record<string, string> = {
      '/c/one.env': "AUTH0_CLIENT_ID=one\nAUTH0_USERNAME=one\nAUTH0_PASSWORD='pa$word'\n",
      '/c/two.env': 'AUTH0_CLIENT_ID=two\n',
      '/c/.env': 'NAME=dune\n',
    };
    const container = {
      id: '',
      name: 'c',
      role: 'remote',
      running: true,
      restart: 'no',
      confFolder: undefined,
      compose: undefined,
      environment: new Map([
        ['AUTH0_PASSWORD', 'pa$word'],
        ['AUTH0_CLIENT_ID', 'old'],
        ['LOCATION_DESCRIPTION', 'here'],
      ]),
    } as const;
    const { variables, missing } = oldVariables([{ service, folder: '/c' }], [container], [], (path) => files[path]);
    const first = new Map(variables.toReversed().map(({ name, value, where }) => [name, `${value} of ${where}`]));
    assert.deepEqual(Object.fromEntries(first), {
      LOCATION_DESCRIPTION: 'here of the container c',
      AUTH0_CLIENT_ID: 'two of /c/two.env',
      AUTH0_PASSWORD: 'pa$word of the container c',
      AUTH0_USERNAME: 'one of /c/one.env',
      DEVICE_ID: 'dune of the service remote',
    });
    assert.equal(missing.length, 2);
    assert.match(missing[0] ?? '', /WS_GROUP_NAME of the service remote is made of other variables/);
    assert.match(missing[1] ?? '', /\/c\/gone\.env, which the old service has its environment from, is not there/);
  });
});
