/** The look-up of a witness ends with whoever asks: a worker's thread must not end with a question on its way. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliProcess } from '../support/cli-process.js';
import { NameServer } from '../support/name-server.js';

describe('the look-up of a witness', () => {
  let server: NameServer;
  before(async () => {
    server = await NameServer.start({ records: {} });
    server.behave({ kind: 'silent' });
  });
  after(() => server.stop());

  it('is given up with the check: the process has nothing left to wait for', async () => {
    const { code, stdout } = await CliProcess.run(
      { program: fileURLToPath(new URL('./witness-child.js', import.meta.url)), args: [server.hostAndPort] },
      // The question itself would take a minute.
      { timeoutMs: 20_000 },
    );
    assert.deepEqual([code, stdout], [0, 'ECANCELLED\n']);
  });
});
