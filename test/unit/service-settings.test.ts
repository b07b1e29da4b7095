/** The settings as the service has them, read by root, by somebody else, and where they are wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadServiceSettings, type ServiceSettings } from '../../src/main/settings/of-service.js';

const CONF = '/etc/dunebugger-remote/dunebugger.conf';
const ENVIRONMENT = '/etc/dunebugger-remote/environment';
const CREDENTIALS = '/etc/dunebugger-remote/credentials';

const CODES: Readonly<Record<string, string>> = { hidden: 'EACCES', broken: 'EIO' };

/** `hidden` and `broken` stand for files that cannot be read. */
function load(files: Readonly<Record<string, string>>, environment: Record<string, string> = {}): ServiceSettings {
  return loadServiceSettings({
    confFile: CONF,
    environment,
    environmentFiles: [ENVIRONMENT],
    credentialsDirectory: CREDENTIALS,
    readFile: (path) => {
      const text = files[path] ?? 'missing';
      const code = text === 'missing' ? 'ENOENT' : CODES[text];
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      return Buffer.from(text);
    },
  });
}

const SIGNED_IN = 'WS_GROUP_NAME=velasquez\nWEBPUBSUB_NEGOTIATE_URL="https://cloud.example/negotiate"\n';

describe('the settings of the service', () => {
  it('root: conf, environment file, variables of the unit and credentials, as the service reads them', () => {
    const { loaded, problems, hidden, environment } = load(
      {
        [CONF]: '[Websocket]\ntestDomain = one.example\n',
        [ENVIRONMENT]: `${SIGNED_IN}DUNEBUGGER_WEBSOCKET_TEST_DOMAIN=two.example\n`,
        [`${CREDENTIALS}/AUTH0_PASSWORD`]: 'secret word\n',
      },
      { NODE_ENV: 'production', WS_GROUP_NAME: 'of-the-unit' },
    );
    assert.deepEqual([problems, hidden], [[], []]);
    assert.equal(loaded.settings.testDomain, 'two.example');
    assert.equal(loaded.settings.wsGroupName, 'velasquez', 'a file wins over Environment=, systemd.exec(5)');
    assert.equal(loaded.settings.auth0Password, 'secret word');
    assert.equal(environment['NODE_ENV'], 'production');
  });

  it('somebody else: what may not be read is named, and what is missing because of it is no problem', () => {
    const { loaded, problems, hidden } = load({
      [CONF]: '[Websocket]\ntestDomain = one.example\n',
      [ENVIRONMENT]: 'hidden',
      [`${CREDENTIALS}/AUTH0_PASSWORD`]: 'hidden',
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(hidden, [ENVIRONMENT, `${CREDENTIALS}/AUTH0_PASSWORD`]);
    assert.equal(loaded.settings.testDomain, 'one.example');
  });

  it('somebody else still hears what is wrong in what may be read', () => {
    const { loaded, problems } = load({
      [CONF]: '[Websocket]\nconnectionTimeoutSecs = soon\n',
      [ENVIRONMENT]: 'hidden',
    });
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', /connectionTimeoutSecs = "soon" is not allowed/);
    assert.equal(loaded.settings.connectionTimeoutSecs, 2, 'the defaults');
  });

  it('a group that is missing is a problem, and the rest is known', () => {
    const { loaded, problems } = load({ [CONF]: '[Websocket]\ntestDomain = one.example\n' });
    assert.equal(problems.length, 2);
    assert.match(problems[0] ?? '', /WS_GROUP_NAME is not set/);
    assert.equal(loaded.settings.testDomain, 'one.example');
  });

  it('a conf that the user may not read is a problem of its own: the service runs as another user, too', () => {
    const { problems, hidden } = load({ [CONF]: 'hidden', [ENVIRONMENT]: SIGNED_IN });
    assert.deepEqual(hidden, []);
    assert.match(problems[0] ?? '', /dunebugger\.conf may not be read by this user/);
  });

  it('an environment file that is broken is a problem; unknown keys are warnings', () => {
    const { problems, warnings } = load({ [CONF]: '[Websocket]\ntestDomein = x.example\n', [ENVIRONMENT]: 'broken' });
    assert.match(problems[0] ?? '', /environment cannot be read \(EIO\)/);
    assert.match(warnings[0] ?? '', /testDomein is unknown/);
  });
});
