/** The package as others get it: packed, installed in an empty project, imported under strict TypeScript, run. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LocalCloud } from '../support/local-cloud.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TSC = path.join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
/** Far more than an installation from npm's cache needs. */
const DEADLINE_MS = 120_000;

/** What the project's user writes. It ends by itself, so that a handle that is left over shows. */
const PROGRAM = `
import {
  createInternetMonitor,
  InternetConnectionMonitor,
  loadSettings,
  reasonWords,
  type InternetMonitorStatus,
  type LoadedSettings,
  type Logger,
} from 'dunebugger-remote';

const monitor = new InternetConnectionMonitor({ testDomain: process.argv[2] ?? '', checkIntervalSecs: 1, timeoutSecs: 2 });
const remove: () => void = monitor.onConnected((status: InternetMonitorStatus) => console.log('verdict', status.verdict));
monitor.start();
await monitor.waitForConnection({ timeoutMs: 60_000 });
console.log('connected', monitor.isConnected, reasonWords('dns-timeout').length > 0);
remove();
await monitor.stop();

const { settings, warnings }: LoadedSettings = loadSettings({ env: { DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: process.argv[2] ?? '' } });
const lines: string[] = [];
const say = (level: string) => (fields: object, message: string) => void lines.push(\`\${level} \${message} \${JSON.stringify(fields)}\`);
const log: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
const shared = createInternetMonitor(settings, { log });
shared.onConnected(function lightsOn() {
  const endMs = performance.now() + 150;
  while (performance.now() < endMs);
});
shared.start();
await shared.waitForConnection({ timeoutMs: 60_000 });
await shared.stop();
const of = (pattern: RegExp): number => lines.filter((line) => pattern.test(line)).length;
console.log('shared', warnings.length, of(/^debug A connected listener ran .*lightsOn/), of(/^warn A connected listener blocked everything else for \\d+ ms .*lightsOn/));
`;

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noImplicitAny: true,
    // Our declarations are looked into as well.
    skipLibCheck: false,
    target: 'ES2022',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    types: ['node'],
    typeRoots: [path.join(ROOT, 'node_modules', '@types')],
  },
  files: ['program.ts'],
};

interface Lock {
  readonly name: string;
  readonly version: string;
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly dependencies?: object }>>;
}

describe('the package', () => {
  let project: string;
  let files: readonly string[];

  /** @throws Error with what the program printed, if it fails */
  async function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const inherited = { ...process.env };
    // The coverage of npm and the compiler is nobody's business.
    delete inherited['NODE_V8_COVERAGE'];
    const options = { cwd: project, timeout: DEADLINE_MS, maxBuffer: 1 << 24, env: { ...inherited, ...env } };
    try {
      return (await promisify(execFile)(command, args, options)).stdout;
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`${command} ${args.join(' ')}: ${String(error)}\n${stdout}\n${stderr}`, { cause: error });
    }
  }

  before(async () => {
    project = await mkdtemp(path.join(tmpdir(), 'dunebugger-package-'));
    // Without scripts: other tests are running what a build would write anew.
    const packed = await run('npm', ['pack', ROOT, '--json', '--ignore-scripts', '--pack-destination', project]);
    const [{ filename, files: listed }] = JSON.parse(packed) as [
      { filename: string; files: readonly { path: string }[] },
    ];
    files = listed.map((file) => file.path);

    // The versions of our own lock file, so that npm takes them from its cache, where `npm ci` has put them.
    const lock = JSON.parse(await readFile(path.join(ROOT, 'package-lock.json'), 'utf8')) as Lock;
    const { '': own, ...others } = lock.packages;
    const tarball = await readFile(path.join(project, filename));
    const dependencies = { [lock.name]: `file:${filename}` };
    const packages = {
      '': { dependencies },
      [`node_modules/${lock.name}`]: {
        version: lock.version,
        resolved: `file:${filename}`,
        integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
        dependencies: own?.dependencies,
        bin: { [lock.name]: 'dist/src/main/cli.js' },
      },
      ...Object.fromEntries(Object.entries(others).filter(([, { dev }]) => dev !== true)),
    };
    const write = (name: string, value: object): Promise<void> =>
      writeFile(path.join(project, name), JSON.stringify(value));
    await write('package.json', { private: true, type: 'module', dependencies });
    await write('package-lock.json', { lockfileVersion: lock.lockfileVersion, requires: true, packages });
    await write('tsconfig.json', TSCONFIG);
    await writeFile(path.join(project, 'program.ts'), PROGRAM);
    await run('npm', ['ci', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']);
  });
  after(() => rm(project, { recursive: true, force: true }));

  it('holds the program, its types, the configuration and the licence, and nothing of the tests', () => {
    for (const file of ['dist/src/main/cli.js', 'dist/src/main/index.js', 'dist/src/main/index.d.ts', 'LICENSE'])
      assert.ok(files.includes(file), file);
    assert.ok(files.includes('conf/dunebugger.conf'), 'the shipped configuration');
    assert.deepEqual(
      files.filter((file) => !/^(?:dist\/src|conf)\/|^(?:package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(file)),
      [],
    );
  });

  it('gives the monitor to a strict TypeScript program, which compiles, sees the internet and ends by itself', async () => {
    await run(process.execPath, [TSC, '-p', '.']);
    const cloud = await LocalCloud.start();
    try {
      const env = { NODE_EXTRA_CA_CERTS: cloud.caFile };
      const said = await run(process.execPath, ['program.js', cloud.testDomain], env);
      assert.deepEqual(said.trim().split('\n').sort(), ['connected true true', 'shared 0 1 1', 'verdict online']);
    } finally {
      await cloud.stop();
    }
  });

  it('gives the command', async () => {
    const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.equal(await run('npx', ['--no-install', 'dunebugger-remote', '--version']), `${version}\n`);
  });

  it('lets nobody import what is not in `exports`', async () => {
    const program = `import('dunebugger-remote/dist/src/main/daemon.js').then(() => console.log('in'), (e) => console.log(e.code))`;
    const said = await run(process.execPath, ['--input-type=module', '-e', program]);
    assert.equal(said, 'ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});
