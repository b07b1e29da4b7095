/** The .deb itself: the same bytes every time, nothing lintian calls an error, and at home on a 64-bit Pi. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { COMMAND_NAMES, OPTIONS } from '../../src/main/cli/commands.js';
import { ROWS } from '../../src/main/settings/table.js';
import { gatherFrom } from '../support/everything-logged.js';
import { CHECKOUT, ensureDeb, VERSION } from './deb.js';
import { ARM64, ensureRoot, requireSystemTests } from './root.js';

const execFileAsync = promisify(execFile);

const OF_CHECKOUT = ['src', 'conf', 'package.json', 'package-lock.json', 'tsconfig.json', 'README.md', 'CHANGELOG.md'];

interface BomComponent {
  readonly name: string;
  readonly version: string;
  readonly 'bom-ref': string;
  readonly licenses?: readonly unknown[];
}

/** The part of CycloneDX 1.5 that is looked at. */
interface Bom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: BomComponent };
  readonly components: readonly BomComponent[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** `name@version` of each package in a node_modules. */
function packagesUnder(modules: string): string[] {
  return readdirSync(modules)
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((part) => join(name, part)) : [name],
    )
    .flatMap((name) => {
      const { version } = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8')) as { version: string };
      const nested = join(modules, name, 'node_modules');
      return [`${name}@${version}`, ...(existsSync(nested) ? packagesUnder(nested) : [])];
    });
}

describe('the Debian package', () => {
  let folder: string;
  let deb: string;

  before(async () => {
    await requireSystemTests();
    folder = mkdtempSync(join(tmpdir(), 'package-'));
    deb = await ensureDeb();
    await execFileAsync('dpkg-deb', ['--extract', deb, join(folder, 'unpacked')]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const field = async (name: string): Promise<string> =>
    (await execFileAsync('dpkg-deb', ['--field', deb, name])).stdout.trim();

  it('is one for every architecture, depends on the Node it needs, and is small', async () => {
    assert.equal(await field('Architecture'), 'all');
    assert.match(await field('Depends'), /(^|, )nodejs \(>= 20\.19\) \| dunebugger-remote-node(,|$)/);
    assert.ok(readFileSync(deb).length < 2_000_000);
    const { stdout } = await execFileAsync('find', [join(folder, 'unpacked'), '-name', '*.node']);
    assert.equal(stdout, '', 'nothing compiled for one architecture');
  });

  it('says what is in it: a bill of materials with exactly the libraries that are packed, each with its licence', () => {
    const root = join(folder, 'unpacked');
    const text = readFileSync(join(root, 'usr/share/doc/dunebugger-remote/sbom.cdx.json'), 'utf8');
    const bom = JSON.parse(text) as Bom;
    assert.equal(bom.bomFormat, 'CycloneDX');
    assert.deepEqual([bom.metadata.component.name, bom.metadata.component.version], ['dunebugger-remote', VERSION]);
    const packed = packagesUnder(join(root, 'usr/lib/dunebugger-remote/node_modules'));
    assert.deepEqual(bom.components.map(({ name, version }) => `${name}@${version}`).sort(), packed.sort());
    for (const { name, licenses = [] } of bom.components) assert.ok(licenses.length > 0, name);
    const known = new Set([bom.metadata.component, ...bom.components].map((component) => component['bom-ref']));
    for (const { ref, dependsOn } of bom.dependencies)
      for (const one of [ref, ...dependsOn]) assert.ok(known.has(one), one);
    assert.doesNotMatch(text, new RegExp(tmpdir()), 'nothing of the machine that built it');
  });

  it('built again, in another folder, by another umask, time zone and language: the same bytes', async () => {
    const copy = join(folder, 'another checkout');
    for (const name of OF_CHECKOUT) cpSync(join(CHECKOUT, name), join(copy, name), { recursive: true });
    symlinkSync(join(CHECKOUT, 'node_modules'), join(copy, 'node_modules'));
    // The time that the first build has put on everything.
    const madeAtSecs = Math.floor(
      statSync(join(folder, 'unpacked/etc/dunebugger-remote/dunebugger.conf')).mtimeMs / 1_000,
    );
    await execFileAsync('sh', ['-c', 'umask 077; exec sh conf/debian/build-deb.sh out'], {
      cwd: copy,
      env: {
        ...process.env,
        SOURCE_DATE_EPOCH: String(madeAtSecs),
        DEB_VERSION: VERSION,
        TZ: 'Pacific/Auckland',
        LANG: 'tr_TR.UTF-8',
      },
      timeout: 180_000,
    });
    const again = join(copy, 'out', `dunebugger-remote_${VERSION}_all.deb`);
    assert.ok(readFileSync(again).equals(readFileSync(deb)), `${again} differs from ${deb}`);
  });

  it('lintian finds no error and no warning', async () => {
    const { stdout } = await execFileAsync('lintian', ['--allow-root', '--fail-on=none', deb], { timeout: 120_000 });
    assert.equal(stdout.trim(), '');
  });

  it('its manual pages render without a warning, and name every command, option and setting', async () => {
    const pages = [1, 5].map((section) =>
      join(
        folder,
        `unpacked/usr/share/man/man${section}/dunebugger-remote${section === 5 ? '.conf' : ''}.${section}.gz`,
      ),
    );
    const env = { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' };
    let text = '';
    for (const page of pages) {
      const plain = join(folder, basename(page, '.gz'));
      writeFileSync(plain, gunzipSync(readFileSync(page)));
      const lint = await execFileAsync('mandoc', ['-T', 'lint', plain]).catch(
        (error: unknown) => error as { stdout: string },
      );
      assert.equal(lint.stdout, '');
      const { stdout, stderr } = await execFileAsync('man', ['--warnings', '--encoding=UTF-8', '--local-file', plain], {
        env,
      });
      assert.equal(stderr, '');
      for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line);
      text += stdout;
    }
    for (const name of COMMAND_NAMES) assert.match(text, new RegExp(`^ +dunebugger-remote ${name}( |$)`, 'm'));
    for (const name of Object.keys(OPTIONS)) assert.match(text, new RegExp(`^ +--${name}( |$)`, 'm'));
    for (const [key, { section, envName }] of ROWS)
      assert.match(text, new RegExp(`^ +${section === undefined ? envName : key}( |$)`, 'm'));
  });

  it('the licence of every bundled library is in it', () => {
    const modules = join(folder, 'unpacked/usr/lib/dunebugger-remote/node_modules');
    const { packages } = JSON.parse(readFileSync(join(CHECKOUT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; license?: string }>;
    };
    const bundled = Object.entries(packages).filter(
      ([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true,
    );
    assert.ok(bundled.length > 20);
    for (const [path, { license }] of bundled) {
      const files = readdirSync(join(modules, '..', path));
      assert.ok(
        files.some((name) => /^(licen[cs]e|copying|copyright)/i.test(name)),
        `${path} (${license ?? 'no licence'}): ${files.join(' ')}`,
      );
    }
  });

  describe('on arm64, under qemu-user', () => {
    let root: string;
    before(async () => {
      root = await ensureRoot(ARM64);
    });

    const cli = (): string => join(folder, 'unpacked/usr/lib/dunebugger-remote/dist/src/main/cli.js');
    const emulated = (...args: string[]): string[] => ['-L', root, join(root, 'usr/bin/node'), ...args];
    const env = { PATH: process.env['PATH'], SSL_CERT_FILE: '/dev/null', NODE_EXTRA_CA_CERTS: undefined };

    it('says its version', async () => {
      const node = await execFileAsync('qemu-aarch64-static', emulated('-p', 'process.arch'), { env });
      assert.equal(node.stdout.trim(), 'arm64');
      const { stdout } = await execFileAsync('qemu-aarch64-static', emulated(cli(), '--version'), { env });
      assert.equal(stdout.trim(), VERSION);
    });

    it('checks the internet: its worker thread starts, asks and gives a verdict', async () => {
      const check = execFileAsync(
        'qemu-aarch64-static',
        emulated(cli(), 'check', '--json', '--domain', '127.0.0.1:9'),
        {
          env,
          timeout: 120_000,
        },
      );
      const { code, stdout } = await check.then(
        (done) => ({ code: 0, stdout: done.stdout }),
        (error: unknown) => error as { code: number; stdout: string },
      );
      assert.equal(code, 1);
      const { verdict, reason } = JSON.parse(stdout) as { verdict: string; reason: string };
      assert.deepEqual([verdict, reason], ['offline', 'tcp-refused']);
    });

    it('runs as a daemon, and stops when it is told to', { timeout: 120_000 }, async () => {
      const conf = join(folder, 'unpacked/etc/dunebugger-remote/dunebugger.conf');
      const child = spawn('qemu-aarch64-static', emulated(cli(), 'run', '--config', conf), {
        env: {
          ...env,
          WS_GROUP_NAME: 'velasquez',
          WEBPUBSUB_NEGOTIATE_URL: 'http://127.0.0.1:9/negotiate',
          DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: '127.0.0.1:9',
          DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_ENABLED: 'False',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      gatherFrom('daemon-arm64', child.stdout);
      const lines: string[] = [];
      try {
        for await (const line of createInterface({ input: child.stdout })) {
          lines.push(line);
          if (/Offline: test site refuses connections/.test(line)) child.kill('SIGTERM');
        }
      } finally {
        child.kill('SIGKILL');
      }
      assert.match(lines.join('\n'), /DuneBugger Remote starts version=9\.1\.0 node=20/);
      assert.match(lines.at(-1) ?? '', /Stopped$/);
    });
  });
});
