/** The Debian package of this checkout, built once for all tests of a run. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { arch } from 'node:process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, underLock } from './root.js';

/** This file is compiled to dist/test/system/. */
export const CHECKOUT = fileURLToPath(new URL('../../../', import.meta.url));
const SOURCES = ['src', 'conf', 'package.json', 'package-lock.json', 'tsconfig.json', 'README.md', 'CHANGELOG.md'];

/** The version that is installed, and the one before it. */
export const VERSION = '9.1.0';
export const PREVIOUS_VERSION = '9.0.0';

/** Path of the package of that version. Builds it if nobody has, for the sources as they are now. */
export async function ensureDeb(version = VERSION): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, `deb-${hashOfSources()}-${version}`);
  const file = join(folder, `dunebugger-remote_${version}_all.deb`);
  if (!existsSync(file)) {
    await underLock('deb', [
      `[ ! -e '${file}' ] || exit 0`,
      `find '${cache}' -maxdepth 1 -name 'deb-*' -mmin +1440 -exec rm -rf {} +`,
      `rm -rf '${folder}.part'`,
      `DEB_VERSION=${version} sh '${CHECKOUT}conf/debian/build-deb.sh' '${folder}.part' >&2`,
      `rm -rf '${folder}'`,
      `mv '${folder}.part' '${folder}'`,
    ]);
  }
  return file;
}

/** Path of the package that carries Node, for this machine's architecture. Downloads it by npm if nobody has. */
export async function ensureNodeDeb(): Promise<string> {
  const architecture = arch === 'x64' ? 'amd64' : arch;
  const script = join(CHECKOUT, 'conf/debian/build-node-deb.sh');
  const hash = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder(), `node-deb-${hash}`);
  if (!existsSync(folder)) {
    await underLock('node-deb', [
      `[ ! -e '${folder}' ] || exit 0`,
      `rm -rf '${folder}.part'`,
      // Quickly made; nobody downloads it.
      `DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1 sh '${script}' ${architecture} '${folder}.part' >&2`,
      `mv '${folder}.part' '${folder}'`,
    ]);
  }
  return join(folder, readdirSync(folder)[0]!);
}

function hashOfSources(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const whole = join(CHECKOUT, path);
    if (!existsSync(whole)) return;
    hash.update(`${path}\0`);
    hash.update(readFileSync(whole));
  };
  for (const source of SOURCES) {
    if (/\./.test(source)) add(source);
    else
      for (const entry of readdirSync(join(CHECKOUT, source), { recursive: true, withFileTypes: true }))
        if (entry.isFile()) add(join(entry.parentPath, entry.name).slice(CHECKOUT.length));
  }
  return hash.digest('hex').slice(0, 12);
}
