/** The file of the verdict under the real unit, and the example of a `.path` unit that runs a program of the operator at each change. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { linkDown } from '../lab/faults.js';
import { Lab } from '../lab/lab.js';
import { etcOf } from '../lab/netns.js';
import { SITE_NAME } from '../lab/topology.js';
import type { Machine } from './machine.js';
import { machineWithService, mainPid, SIGN_IN, UNIT } from './service.js';

const FILE = '/run/dunebugger-remote/verdict';
const CA_FILE = '/etc/dunebugger-remote/ca.pem';
const EXAMPLES = '/usr/share/doc/dunebugger-remote/examples';
const OFFLINE = /^offline no-link \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

describe('a program of the operator that is run when the internet comes and goes', () => {
  let lab: Lab;
  let machine: Machine;

  before(async () => {
    lab = await Lab.create({ ipv6: false });
    const namespace = lab.namespace('pi');
    machine = await machineWithService({
      network: { namespace, resolvConf: `${etcOf(namespace)}/resolv.conf` },
      environment: [
        SIGN_IN,
        `DUNEBUGGER_NETWORK_CA_FILE=${CA_FILE}`,
        `DUNEBUGGER_WEBSOCKET_TEST_DOMAIN=${SITE_NAME}`,
        'DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_ENABLED=False',
        '',
      ].join('\n'),
      prepare: async (it) => {
        await it.write(CA_FILE, lab.ca);
        // As an operator would write it.
        await it.write('/usr/local/bin/on-verdict', '#!/bin/sh\necho "$*" >> /var/log/on-verdict\n', '755');
        await it.sh("printf '%s\\n' 'stranger:x:1501:1501::/:/bin/sh' >> /etc/passwd");
      },
    });
  });
  after(async () => {
    // A machine is gone before its network is.
    await machine.stop();
    await lab.destroy();
  });

  const calls = async (): Promise<readonly string[]> =>
    (await machine.sh('cat /var/log/on-verdict 2>/dev/null || :')).trimEnd().split('\n');
  const lastCallIs = (pattern: RegExp): Promise<boolean> =>
    machine.until(
      `the last call is ${String(pattern)}`,
      async () => pattern.test((await calls()).at(-1) ?? ''),
      60_000,
    );

  it('everybody may read the file, nobody else may write there', async () => {
    await machine.until(
      'the file says online',
      async () => (await machine.run('cat', [FILE])).stdout === 'online\n',
      60_000,
    );
    const stranger = ['--reuid=1501', '--regid=1501', '--clear-groups'];
    assert.equal((await machine.run('setpriv', [...stranger, 'cat', FILE])).stdout, 'online\n');
    assert.notEqual((await machine.run('setpriv', [...stranger, 'sh', '-c', `echo x > ${FILE}`])).code, 0);
    assert.notEqual((await machine.run('setpriv', [...stranger, 'touch', `${FILE}.x`])).code, 0);
  });

  it('the example starts it at each change of the verdict, and when the service stops and is there again', async () => {
    await machine.sh(`cp ${EXAMPLES}/dunebugger-remote-verdict.* /etc/systemd/system
      systemctl daemon-reload; systemctl enable --now dunebugger-remote-verdict.path 2>&1`);
    const verified = await machine.run('systemd-analyze', ['verify', '--man=no', 'dunebugger-remote-verdict.path']);
    assert.equal(`${verified.stdout}${verified.stderr}`.trim(), '');
    await linkDown.apply(lab);
    await lastCallIs(OFFLINE);
    await linkDown.repair(lab);
    await lastCallIs(/^online$/);
    await machine.sh(`systemctl stop ${UNIT}`);
    await lastCallIs(/^stopped$/);
    await machine.sh(`systemctl start ${UNIT}`);
    await lastCallIs(/^online$/);
    assert.deepEqual(
      (await calls()).map((call) => call.replace(/^(offline no-link) .*/, '$1')),
      ['offline no-link', 'online', 'stopped', 'online'],
    );
  });

  it('a line that flaps does not end it', async () => {
    for (let round = 0; round < 12; round += 1) {
      await linkDown.apply(lab);
      await lastCallIs(OFFLINE);
      await linkDown.repair(lab);
      await lastCallIs(/^online$/);
    }
    assert.equal(await machine.show('ActiveState', 'dunebugger-remote-verdict.path'), 'active');
  });

  it('a full disk is said once, and when there is room again the file says what is', async () => {
    const pid = await mainPid(machine);
    const sinceMs = Date.now();
    await machine.sh('cat /dev/zero > /run/filling 2>/dev/null || :');
    await linkDown.apply(lab);
    await machine.logged(/^The verdict could not be written to its file.*\(ENOSPC\)/, { sinceMs, deadlineMs: 60_000 });
    await machine.sh('rm /run/filling');
    await linkDown.repair(lab);
    await machine.until(
      'the file says online',
      async () => (await machine.run('cat', [FILE])).stdout === 'online\n',
      60_000,
    );
    assert.equal(await mainPid(machine), pid);
    const warnings = await machine.journal(UNIT, '--identifier=dunebugger-remote', '--priority=warning');
    assert.equal(warnings.filter(({ message }) => message.startsWith('The verdict could not be written')).length, 1);
  });
});
