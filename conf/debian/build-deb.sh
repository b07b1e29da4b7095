#!/bin/sh
# Builds build/dunebugger-remote_VERSION_all.deb from a checkout with node_modules in place (`npm ci`), by npm and dpkg-deb.
#
#   npm run package              the version of package.json, into build/
#   npm run package -- FOLDER    into another folder
#   DEB_VERSION=1.2.3-1          another version; what stands before its last hyphen is what `--version` says
#
# One package for arm64, armhf and amd64: the code is JavaScript, and Debian's own `nodejs` (>= 20.19) runs it, so that
# security updates of Node come with `apt upgrade`, the download stays small and the 32-bit Pis are served too. For a Debian
# whose Node is older build-node-deb.sh makes a second package.
#
# Reproducible: the same commit gives the same bytes. Everything that differs from build to build is pinned: times (the
# commit's), owners, modes, the order of files (dpkg-deb sorts) and what npm writes about itself.
set -eu
umask 022
cd "$(dirname "$0")/../.."

version=${DEB_VERSION:-$(node -p "require('./package.json').version")}
output=${1:-build}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y package.json)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT INT TERM
root=$stage/root
lib=$root/usr/lib/dunebugger-remote
doc=$root/usr/share/doc/dunebugger-remote
mkdir -p "$lib" "$doc" "$root/usr/bin" "$root/usr/lib/systemd/system" \
  "$root/etc/dunebugger-remote/credentials" "$root/DEBIAN"

# The program alone, compiled afresh, so that nothing stale is packed.
cat > "$stage/tsconfig.json" <<END
{
  "extends": "$PWD/tsconfig.json",
  "compilerOptions": {
    "rootDir": "$PWD", "outDir": "$stage/dist", "typeRoots": ["$PWD/node_modules/@types"],
    "incremental": false, "tsBuildInfoFile": null, "sourceMap": false, "declaration": false
  },
  "include": ["$PWD/src"]
}
END
npx --no-install tsc -p "$stage/tsconfig.json"
mkdir -p "$lib/dist"
cp -R "$stage/dist/src" "$lib/dist/"
rm -r "$lib/dist/src/manual"
# The launcher says which Node, whatever else an administrator's PATH holds.
sed -i 1d "$lib/dist/src/main/cli.js"

# What it needs at run time, without install scripts (nothing compiled: the package is for every architecture), and without
# what only its developers need. Licences stay.
cp package.json package-lock.json "$stage/"
(cd "$stage" && npm ci --omit=dev --omit=optional --ignore-scripts --prefer-offline --no-audit --no-fund --loglevel=error)
cp -R "$stage/node_modules" "$lib/node_modules"
rm -f "$lib/node_modules/.package-lock.json"
rm -rf "$lib/node_modules/.bin"
find "$lib/node_modules" -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' \
  -o -name '*.markdown' -o -name '.*' -o -name '*.flow' -o -name '*.html' -o -name '*.sh' -o -name 'tsconfig*.json' \) \
  ! -iname 'licen[cs]e*' ! -iname 'copying*' ! -iname 'notice*' -delete
# Folders of these names at the top of a package; deeper ones may be code.
find "$lib/node_modules" -mindepth 2 -maxdepth 3 -type d \( -name test -o -name tests -o -name docs -o -name benchmark \
  -o -name benchmarks -o -name bench -o -name examples -o -name fixtures -o -name scripts -o -name test-jest -o -name '.?*' \) -prune -exec rm -rf {} +
find "$lib/node_modules" -type d -path '*/dist/*' \( -name browser -o -name react-native \) -prune -exec rm -rf {} +
# The same code once more, as modules for browsers.
rm -rf "$lib/node_modules/yaml/browser"
find "$lib/node_modules" -mindepth 2 -maxdepth 3 -type f \( -name 'bench*.js' -o -name test.js -o -name example.js \
  -o -name 'eslint.config.*' \) -delete
# Commands of libraries: nobody calls them.
node -e '
  const { dirname, join } = require("node:path");
  for (const file of process.argv.slice(1)) {
    const { bin = {} } = require(file);
    const commands = typeof bin === "string" ? [bin] : Object.values(bin);
    for (const command of commands) require("node:fs").rmSync(join(dirname(file), command), { force: true });
  }
' "$lib"/node_modules/*/package.json "$lib"/node_modules/@*/*/package.json
find "$lib" -type d -empty -delete
VERSION=${version%-*} node -e '
  const { name, description, license, type, engines, bin, exports, dependencies } = require("./package.json");
  const packed = { name, version: process.env.VERSION, description, license, type, engines, bin, exports, dependencies };
  process.stdout.write(`${JSON.stringify(packed, null, 2)}\n`);
' > "$lib/package.json"
install -m 755 conf/debian/launcher "$root/usr/bin/dunebugger-remote"

# What is in it, for whoever looks for a vulnerable library (CycloneDX). Without what npm says of itself, of this folder and of the moment.
(cd "$stage" && npm pkg delete devDependencies && npm sbom --sbom-format=cyclonedx --sbom-type=application --omit=dev --omit=optional --loglevel=error) > "$stage/sbom.json"
VERSION=${version%-*} node -e '
  const { readFileSync } = require("node:fs");
  const { $schema, bomFormat, specVersion, version, metadata, components, dependencies } = JSON.parse(readFileSync(process.argv[1], "utf8"));
  const name = "dunebugger-remote";
  const ref = `${name}@${process.env.VERSION}`;
  const renamed = (given) => (given === metadata.component["bom-ref"] ? ref : given);
  const component = { ...metadata.component, "bom-ref": ref, name, version: process.env.VERSION, purl: `pkg:npm/${ref}` };
  const byRef = (key) => (a, b) => (a[key] < b[key] ? -1 : 1);
  const bom = {
    $schema, bomFormat, specVersion, version,
    metadata: { timestamp: new Date(process.env.SOURCE_DATE_EPOCH * 1000).toISOString(), component },
    components: components.sort(byRef("bom-ref")),
    dependencies: dependencies.map((of) => ({ ref: renamed(of.ref), dependsOn: of.dependsOn.sort() })).sort(byRef("ref")),
  };
  process.stdout.write(`${JSON.stringify(bom, null, 1)}\n`);
' "$stage/sbom.json" > "$doc/sbom.cdx.json"

# Manual pages and completion, from the tables that the program itself reads.
node "$stage/dist/src/manual/main.js" "$stage/manual" "${version%-*}" "$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)"
for section in 1 5; do
  for page in "$stage/manual/"*.$section; do
    install -d "$root/usr/share/man/man$section"
    gzip -9n < "$page" > "$root/usr/share/man/man$section/$(basename "$page").gz"
  done
done
install -D -m 644 "$stage/manual/dunebugger-remote" "$root/usr/share/bash-completion/completions/dunebugger-remote"

# Configuration, service, documentation.
install -m 644 conf/dunebugger.conf "$root/etc/dunebugger-remote/dunebugger.conf"
# Not a conffile, since everybody fills it in: an update that changes a comment must not ask whose version to keep.
install -D -m 644 conf/dunebugger-remote.env.example "$root/usr/share/dunebugger-remote/environment"
install -m 644 conf/dunebugger-remote.service "$root/usr/lib/systemd/system/dunebugger-remote.service"
install -m 755 conf/with-notify-socket "$lib/with-notify-socket"
install -m 644 conf/dunebugger-remote.socket "$root/usr/lib/systemd/system/dunebugger-remote.socket"
install -m 644 conf/debian/restart-pauses.conf "$lib/restart-pauses.conf"
install -D -m 644 conf/sysusers.conf "$root/usr/lib/sysusers.d/dunebugger-remote.conf"
install -m 644 conf/status.schema.json "$root/usr/share/dunebugger-remote/status.schema.json"
install -m 644 conf/doctor.schema.json "$root/usr/share/dunebugger-remote/doctor.schema.json"
install -m 644 README.md "$doc/README.md"
mkdir "$doc/examples"
install -m 644 conf/examples/* "$doc/examples/"
install -m 644 conf/debian/copyright "$doc/copyright"
gzip -9n < CHANGELOG.md > "$doc/CHANGELOG.md.gz"
maintainer=$(sed -n 's/^Maintainer: //p' conf/debian/control)
gzip -9n > "$doc/changelog.gz" <<END
dunebugger-remote ($version) unstable; urgency=medium

  * What has changed stands in CHANGELOG.md.gz beside this file.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
install -D -m 644 conf/debian/lintian-overrides "$root/usr/share/lintian/overrides/dunebugger-remote"

for script in postinst prerm postrm; do install -m 755 "conf/debian/$script" "$root/DEBIAN/$script"; done
echo /etc/dunebugger-remote/dunebugger.conf > "$root/DEBIAN/conffiles"
install -m 644 conf/debian/triggers "$root/DEBIAN/triggers"
find "$root" -type d -exec chmod u=rwx,go=rx {} +
chmod 700 "$root/etc/dunebugger-remote/credentials"
find "$lib" "$doc" -type f ! -name with-notify-socket -exec chmod 644 {} +
installed_size=$(du -k -s --apparent-size "$root" --exclude=DEBIAN | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@INSTALLED_SIZE@/$installed_size/" conf/debian/control > "$root/DEBIAN/control"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -print | sort | sed 's,^\./,,' | xargs -d '\n' md5sum) > "$root/DEBIAN/md5sums"
chmod 644 "$root/DEBIAN/control" "$root/DEBIAN/conffiles" "$root/DEBIAN/triggers" "$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$output"
# One thread: how many there are shows in the bytes.
dpkg-deb --root-owner-group -Zxz --threads-max=1 --build "$root" "$output/dunebugger-remote_${version}_all.deb"
