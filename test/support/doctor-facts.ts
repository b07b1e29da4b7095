/** Facts for a check of the doctor, all of them handed in: nothing is looked at. */
import type { Facts } from '../../src/main/cli/doctor/facts.js';
import type { FileFacts, System } from '../../src/main/cli/doctor/system.js';
import type { UnitProperties } from '../../src/main/cli/service-state.js';
import { takeSnapshot, type Snapshot } from '../../src/main/observe/snapshot.js';
import type { Parts } from '../../src/main/observe/parts.js';
import { loadServiceSettings } from '../../src/main/settings/of-service.js';
import type { CheckEvidence } from '../../src/workers/protocol.js';
import { EVIDENCE, HEALTHY, LOOKED, NOW_MS } from './parts.js';

export const ACTIVE: UnitProperties = {
  LoadState: 'loaded',
  ActiveState: 'active',
  SubState: 'running',
  UnitFileState: 'enabled',
  NRestarts: '0',
  Result: 'success',
  NeedDaemonReload: 'no',
  MainPID: '42',
  ExecStart:
    '{ path=/usr/bin/dunebugger-remote ; argv[]=/usr/bin/dunebugger-remote run --config /etc/dunebugger-remote/dunebugger.conf ; ignore_errors=no ; pid=42 }',
  Environment: 'NODE_ENV=production',
  EnvironmentFiles: '/etc/dunebugger-remote/environment (ignore_errors=yes)',
};

export interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly stats?: Readonly<Record<string, FileFacts | 'hidden'>>;
  readonly system?: Partial<System>;
  readonly unit?: UnitProperties;
  readonly snapshot?: Partial<Parts>;
  readonly service?: Awaited<ReturnType<Facts['service']>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly hidden?: readonly string[];
  readonly evidence?: Partial<CheckEvidence>;
  readonly machine?: Partial<NonNullable<Snapshot['machine']>>;
  readonly router?: Awaited<ReturnType<Facts['router']>>;
  readonly trust?: Partial<Awaited<ReturnType<Facts['trust']>>>;
  readonly packets?: Awaited<ReturnType<Facts['packets']>>;
  readonly cloud?: Awaited<ReturnType<Facts['cloud']>>;
  readonly bus?: Awaited<ReturnType<Facts['bus']>>;
  readonly deep?: boolean;
}

const SIGN_IN = { WS_GROUP_NAME: 'velasquez', WEBPUBSUB_NEGOTIATE_URL: 'https://cloud.example/negotiate' };

/** A healthy machine, but for what is given. */
export function facts(given: Given = {}): Facts {
  const found = loadServiceSettings({
    environment: { ...SIGN_IN, ...given.env },
    environmentFiles: [],
    readFile: () => {
      throw Object.assign(new Error('there is none'), { code: 'ENOENT' });
    },
  });
  const never = (what: string) => () => Promise.reject(new Error(`nobody was to ask for ${what}`));
  return {
    deep: given.deep ?? false,
    namedConf: undefined,
    signal: new AbortController().signal,
    leftMs: () => 5_000,
    system: systemOf(given),
    unit: () => Promise.resolve(given.unit ?? ACTIVE),
    service: () =>
      Promise.resolve(
        given.service ?? {
          kind: 'snapshot',
          snapshot: takeSnapshot({ ...HEALTHY, ...given.snapshot }, NOW_MS, LOOKED),
        },
      ),
    configuration: () =>
      Promise.resolve({
        ...found,
        ...(given.hidden === undefined ? {} : { hidden: given.hidden }),
        settings: found.loaded.settings,
        confFile: '/etc/dunebugger-remote/dunebugger.conf',
      }),
    trust: () => Promise.resolve({ pem: '', hasStore: true, problems: [], ...given.trust }),
    machine: () => Promise.resolve({ ...LOOKED.machine, ...given.machine }),
    router: () => Promise.resolve(given.router ?? { address: '192.168.1.1', ms: 1.5 }),
    internet: () => Promise.resolve({ ...EVIDENCE, ...given.evidence }),
    packets: () => Promise.resolve(given.packets),
    cloud: given.cloud === undefined ? never('a connection') : () => Promise.resolve(given.cloud!),
    bus: given.bus === undefined ? never('the bus') : () => Promise.resolve(given.bus!),
  };
}

function systemOf({ files = {}, stats = {}, system }: Given): System {
  return {
    uid: 0,
    read: (file) => Promise.resolve(files[file]),
    readHex: () => Promise.resolve(undefined),
    list: (folder) =>
      Promise.resolve([
        ...new Set(
          Object.keys(files)
            .filter((file) => file.startsWith(`${folder}/`))
            .map((file) => file.slice(folder.length + 1).split('/')[0] ?? ''),
        ),
      ]),
    linkName: () => Promise.resolve(undefined),
    run: () => Promise.resolve(undefined),
    tcpAnswerMs: () => Promise.resolve(undefined),
    rootSpace: () => Promise.resolve({ total: 16e9, used: 8e9 }),
    networkInterfaces: () => ({}),
    cpuByPackage: () => Promise.reject(new Error('not asked for')),
    stat: (file) => Promise.resolve(stats[file] ?? 'missing'),
    longRun: () => Promise.resolve(undefined),
    words: (file) => Promise.resolve(files[file]?.split('\0')),
    space: () => Promise.resolve({ freeBytes: 8e9, totalBytes: 16e9, freeFiles: 100_000 }),
    ...system,
  };
}
