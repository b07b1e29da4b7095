/** The versions of core and scheduler where their heartbeats do not tell them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { componentInfos } from '../../src/main/remote/components-info.js';
import type { ComponentStatus } from '../../src/main/remote/from-bus.js';
import { versionOfFile, versionOfImage, withInstalledVersions } from '../../src/main/remote/installed-versions.js';

describe("core's VERSION", () => {
  for (const [text, version] of [
    ['1.2.3\n', '1.2.3'],
    ['v1.2.3', '1.2.3'],
    ['{"version":"1.0.0","prerelease":"beta.2","full_version":"1.0.0-beta.2","commit":"abc"}', '1.0.0-beta.2'],
    ['{"version":"1.0.0"}', '1.0.0'],
    ['{"full_version":7,"version":"1.0.0"}', '1.0.0'],
    ['1.2', '1.2'],
    ['{}', undefined],
    ['', undefined],
    ['unknown', undefined],
    ['<b>1.2</b>', undefined],
    ['1.2.3\n4.5.6\n', undefined],
    [`1.${'2'.repeat(100)}`, undefined],
  ] as const) {
    it(JSON.stringify(text.slice(0, 60)), () => assert.equal(versionOfFile(text), version));
  }

  it('may hold anything', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void versionOfFile(text)));
  });
});

describe("the scheduler's image", () => {
  const compose = (image: string): string => `services:
  remote:
    image: ghcr.io/marco-svitol/dunebugger-remote:0.9.1
  scheduler:
    # image: ghcr.io/marco-svitol/dunebugger-scheduler:0.0.1
    image: ${image}
    depends_on: [nats-server]
`;
  for (const [image, version] of [
    ['ghcr.io/marco-svitol/dunebugger-scheduler:1.0.0-beta.5', '1.0.0-beta.5'],
    ['"ghcr.io/marco-svitol/dunebugger-scheduler:v2.1.0"  # pinned', '2.1.0'],
    ["'dunebugger-scheduler:2'", '2'],
    ['localhost:5000/dunebugger-scheduler:1.2.3', '1.2.3'],
    ['ghcr.io/x/dunebugger-scheduler:1.2.3@sha256:0123456789abcdef', '1.2.3'],
    ['ghcr.io/x/dunebugger-scheduler@sha256:0123456789abcdef', undefined],
    ['ghcr.io/x/dunebugger-scheduler:latest', undefined],
    ['ghcr.io/x/dunebugger-scheduler:${TAG:-1.2.3}', undefined],
    ['ghcr.io/x/dunebugger-scheduler', undefined],
    ['localhost:5000/dunebugger-scheduler', undefined],
    ['scheduler-of-somebody:9/else:1.2.3', undefined],
  ] as const) {
    it(image, () => {
      assert.equal(versionOfImage(compose(image)), version);
      assert.equal(versionOfImage(compose(image).replaceAll('\n', '\r\n')), version);
    });
  }

  it('is not known where two disagree', () => {
    const one = compose('dunebugger-scheduler:1.0.0');
    assert.equal(versionOfImage(one + one), '1.0.0');
    assert.equal(versionOfImage(one + compose('dunebugger-scheduler:1.0.1')), undefined);
  });

  it('is looked for in a large file of anything without delay', () => {
    for (const text of ['image: ', 'a/', ' ', "image: 'scheduler:", 'scheduler-']) versionOfImage(text.repeat(20_000));
  });
});

describe('what system_info says of versions', () => {
  const files: Readonly<Record<string, string>> = {
    '/opt/dunebugger/core/VERSION': '1.5.0\n',
    '/opt/dunebugger/docker-compose.yml': 'services:\n  scheduler:\n    image: dunebugger-scheduler:2.0.0\n',
  };
  const of = (versions: { core: string | null; scheduler: string | null }): readonly ComponentStatus[] => [
    { name: 'dunebugger', state: 'running', version: versions.core },
    { name: 'scheduler', state: 'not_responding', version: versions.scheduler },
  ];
  const options = {
    read: (file: string) => Promise.resolve(files[file]),
    coreInstallPath: '/opt/dunebugger/core',
    dockerComposePath: '/opt/dunebugger/docker-compose.yml',
  };
  const told = async (
    components: readonly ComponentStatus[],
    other: Partial<typeof options> = {},
  ): Promise<readonly (string | null)[]> =>
    componentInfos(await withInstalledVersions(components, { ...options, ...other, fileMs: 5 }), '0.1.0').map(
      ({ current_version }) => current_version,
    );

  it('is the heartbeat if there is one, else the file, else nothing', async () => {
    assert.deepEqual(await told(of({ core: null, scheduler: null })), ['1.5.0', '2.0.0', '0.1.0']);
    assert.deepEqual(await told(of({ core: '1.4.9', scheduler: null })), ['1.4.9', '2.0.0', '0.1.0']);
    const empty = { coreInstallPath: '', dockerComposePath: '' };
    assert.deepEqual(await told(of({ core: null, scheduler: '3' }), empty), [null, '3', '0.1.0']);
    const home = { coreInstallPath: 'core', dockerComposePath: '~/docker-compose.yaml' };
    assert.deepEqual(await told(of({ core: null, scheduler: null }), home), [null, null, '0.1.0']);
  });

  it('waits for no file that does not answer or fails', async () => {
    for (const read of [
      (): Promise<undefined> => Promise.reject(new Error('EACCES')),
      (): Promise<undefined> => Promise.resolve(undefined),
      (): Promise<undefined> => new Promise(() => undefined),
    ]) {
      assert.deepEqual(await told(of({ core: null, scheduler: null }), { read }), [null, null, '0.1.0']);
    }
  });

  it('calls no version the latest, and offers no update', async () => {
    const infos = componentInfos(await withInstalledVersions(of({ core: null, scheduler: null }), options), '0.1.0');
    for (const info of infos) {
      assert.equal(info.latest_version, null);
      assert.equal(info.last_available_version, null);
      assert.equal(info.update_available, false);
      assert.equal(info.version, info.current_version);
      assert.equal(info.running, info.state === 'running');
    }
  });
});
