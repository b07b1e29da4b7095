/** The README's claim that old configurations serve as they are: the daemon is started with each, signs in, joins, and carries a command. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { GROUP, Installation, SECRETS } from '../support/installation.js';
import { findNatsServer } from '../support/nats-server.js';
import { GENERATIONS } from '../support/python-generations.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;

describe('the daemon with a configuration of the Python version', { skip }, () => {
  let site: Installation;
  before(async () => {
    site = await Installation.create();
  });
  after(() => site.stop());

  for (const generation of GENERATIONS) {
    it(`${generation.name}: starts, signs in, joins its group and hands a command to core`, async () => {
      await site.configureAs(generation);
      const daemon = site.startDaemon();
      try {
        await daemon.waitForLine(/Connected to the cloud/, { timeoutMs: 30_000 });
        assert.deepEqual(site.auth0.lastTokenRequest, {
          client_id: SECRETS.clientId,
          client_secret: SECRETS.clientSecret,
          grant_type: 'password',
          username: SECRETS.username,
          password: SECRETS.password,
          scope: 'openid profile email',
        });
        await daemon.waitForLine(/The bus is there/, { timeoutMs: 30_000 });
        const page = await site.openPage();
        const body = `sw ${generation.name}`;
        await page.send('core.dunebugger_set', body);
        await site.core.waitForCommand((command) => command.body === body, { timeoutMs: 30_000 });
        assert.ok(site.cloud.pubsub.liveConnections('device').some(({ groups }) => groups.includes(GROUP)));
      } finally {
        await daemon.kill();
      }
    });
  }
});
