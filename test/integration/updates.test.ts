/** The update coordinator's files, as they are: what it sees of a request, and what is made of a folder that is not as it should be. */
import assert from 'node:assert/strict';
import { rm, stat, watch, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { coordinatorFiles, obstacleInWords } from '../../src/main/remote/updates/coordinator-files.js';
import { readStatus, requestText } from '../../src/main/remote/updates/status.js';
import { CoordinatorInFiles } from '../support/update-coordinator.js';

async function coordinated(t: TestContext): Promise<CoordinatorInFiles> {
  const coordinator = await CoordinatorInFiles.create();
  t.after(() => coordinator.remove());
  return coordinator;
}

const ID = '0c5c9d6e-7f6b-4c1e-9a7e-2f1f4a0d9b11';

describe('a request in a file', () => {
  it('is created under its name whole, readable to all, and only a note of it is left', async (t) => {
    const coordinator = await coordinated(t);
    const files = coordinatorFiles(coordinator.folder);
    assert.equal(await files.obstacle(), undefined);
    const text = requestText({ component: 'core', version: '1.2.3' }, ID, Date.UTC(2026, 1, 1));
    const end = new AbortController();
    const seen: string[] = [];
    // What the coordinator's own watch would be told: no name that ends in .json before it is whole.
    const watching = (async () => {
      const events = watch(path.join(coordinator.folder, 'requests'), { signal: end.signal });
      for await (const { eventType, filename } of events) {
        seen.push(`${eventType} ${filename}`);
        if (filename === 'last') return;
      }
    })();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await files.hand(ID, text), undefined);
    await writeFile(path.join(coordinator.folder, 'requests', 'last'), '');
    await watching;
    end.abort();
    assert.ok(seen.includes(`rename ${ID}.json`), seen.join());
    assert.deepEqual(await coordinator.waiting(), [
      {
        component: 'core',
        action: 'update',
        version: '1.2.3',
        request_id: ID,
        timestamp: '2026-02-01T00:00:00.000Z',
      },
    ]);
    const { mode, nlink } = await stat(path.join(coordinator.folder, 'requests', `${ID}.json`));
    assert.deepEqual([mode & 0o777, nlink], [0o644, 2]);
    assert.deepEqual([...(await coordinator.requests())].sort(), [`.${ID}.handed-over`, `${ID}.json`, 'last']);
  });

  it('is never written over', async (t) => {
    const coordinator = await coordinated(t);
    const files = coordinatorFiles(coordinator.folder);
    assert.equal(await files.hand('a', '{"n":1}'), undefined);
    assert.match((await files.hand('a', '{"n":2}')) ?? '', /cannot be used \(EEXIST\)/);
    assert.deepEqual(await coordinator.waiting(), [{ n: 1 }]);
    assert.deepEqual([...(await coordinator.requests())].sort(), ['.a.handed-over', 'a.json']);
  });

  it('can be taken back, also when it has gone', async (t) => {
    const coordinator = await coordinated(t);
    const files = coordinatorFiles(coordinator.folder);
    await files.hand('a', '{}');
    await files.withdraw('a');
    await files.withdraw('a');
    assert.deepEqual(await coordinator.requests(), []);
  });

  it('is not handed over later when its files did not answer in time', async (t) => {
    const coordinator = await coordinated(t);
    const late = coordinatorFiles(coordinator.folder, 0);
    assert.match((await late.hand('a', '{}')) ?? '', /did not answer within 0 s/);
    // Whatever of it was under way has ended before this has.
    assert.equal(await coordinatorFiles(coordinator.folder).hand('b', '{}'), undefined);
    assert.ok(!(await coordinator.requests()).includes('a.json'));
  });

  it('has a status once there is one', async (t) => {
    const coordinator = await coordinated(t);
    const files = coordinatorFiles(coordinator.folder);
    assert.equal(await files.status(ID), undefined);
    await files.hand(ID, requestText({ component: 'core', version: '' }, ID, 0));
    const [request] = await coordinator.waiting();
    assert.ok(request);
    await coordinator.progress(request, 'downloading');
    assert.deepEqual(readStatus(await files.status(ID), ID), { kind: 'progress', phase: 'downloading' });
    await coordinator.end(request, { success: true, message: 'well', output: 'é'.repeat(300_000) });
    const status = readStatus(await files.status(ID), ID);
    assert.ok(status.kind === 'ended' && status.success && status.output.length === 4_000);
  });

  it('is known after a restart until it is forgotten, however far it is', async (t) => {
    const coordinator = await coordinated(t);
    const text = requestText({ component: 'core', version: '1.2.3' }, ID, 0);
    assert.equal(await coordinatorFiles(coordinator.folder).hand(ID, text), undefined);
    const restarted = coordinatorFiles(coordinator.folder);
    assert.deepEqual(await restarted.handedOver(), [{ requestId: ID, text }]);
    const [request] = await coordinator.waiting();
    assert.ok(request);
    await coordinator.end(request, { success: true, message: 'well' });
    assert.deepEqual(await restarted.handedOver(), [{ requestId: ID, text }]);
    await restarted.forget(ID);
    assert.deepEqual([await restarted.handedOver(), await coordinator.requests()], [[], []]);
  });

  it('is not known where a crash came before it was handed over, and no other file is taken for one', async (t) => {
    const coordinator = await coordinated(t);
    const requests = path.join(coordinator.folder, 'requests');
    await writeFile(path.join(requests, `.${ID}.handed-over`), '{"component":');
    await writeFile(path.join(requests, '...handed-over'), '{}');
    await writeFile(path.join(requests, 'b.json'), '{}');
    assert.deepEqual(await coordinatorFiles(coordinator.folder).handedOver(), []);
    assert.deepEqual([...(await coordinator.requests())].sort(), ['...handed-over', 'b.json']);
  });

  for (const [name, prepare, why] of [
    ['there is no coordinator', (folder: string) => rm(folder, { recursive: true }), /no update coordinator/],
    [
      'its folder is a file',
      async (folder: string) => {
        await rm(path.join(folder, 'requests'), { recursive: true });
        await writeFile(path.join(folder, 'requests'), '', { mode: 0o777 });
      },
      /no update coordinator/,
    ],
    ['it has no status folder', (folder: string) => rm(path.join(folder, 'status'), { recursive: true }), /no update/],
  ] as const) {
    it(`is refused where ${name}`, async (t) => {
      const coordinator = await coordinated(t);
      await prepare(coordinator.folder);
      const files = coordinatorFiles(coordinator.folder);
      assert.match((await files.hand('a', '{}')) ?? '', why);
      assert.equal(await files.status('a'), undefined);
      assert.deepEqual(await files.handedOver(), []);
      await files.withdraw('a');
      await files.forget('a');
    });
  }

  // errno(3); which of them a folder gives depends on who asks, and root is let in.
  for (const [code, why] of [
    ['ENOENT', /no update coordinator/],
    ['EACCES', /does not let this service/],
    ['EPERM', /does not let this service/],
    ['EROFS', /does not let this service/],
    ['ENOSPC', /no room left/],
    ['EDQUOT', /no room left/],
    ['EIO', /cannot be used \(EIO\)/],
    ['EMFILE', /cannot be used \(EMFILE\)/],
  ] as const) {
    it(`${code} is told as ${why.source}`, () => {
      assert.match(obstacleInWords(Object.assign(new Error('no'), { code })), why);
    });
  }
});
