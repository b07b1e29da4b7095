/** The Pi itself in trouble: its journal away, its root read-only, its card full. The service starts and works, and what is lost is counted. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ensureDeb } from './deb.js';
import type { Machine } from './machine.js';
import { machineWithService, mainPid, SIGN_IN, UNIT } from './service.js';

const JOURNALD =
  'systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket';
/** Two of the folders that a Pi's card holds, as a machine sees them whose card went read-only. */
const READ_ONLY = `
  for folder in var etc; do
    mkdir -p "/run/card/$folder"
    mount --bind "/$folder" "/run/card/$folder"
    mount --bind "/run/card/$folder" "/$folder"
    mount -o remount,bind,ro "/$folder"
  done
  if touch /var/lib/probe /etc/probe; then exit 1; fi 2>/dev/null`;
const WRITABLE = 'umount /var /etc /run/card/var /run/card/etc';
/** A small card where programs keep things, neither a byte nor a file left on it. */
const FULL = `
  mkdir -p /run/full
  mount -t tmpfs -o size=1M,nr_inodes=200 full /run/full
  mkdir -m 1777 /run/full/tmp
  mkdir /run/full/lib
  cp -a /var/lib/private /var/lib/dunebugger-remote /run/full/lib/
  mount --bind /run/full/lib /var/lib
  mount --bind /run/full/tmp /var/tmp
  head -c 9M /dev/zero > /run/full/fill 2>/dev/null || true
  n=0; while mkdir "/run/full/many$n" 2>/dev/null; do n=$((n+1)); done
  if mkdir /var/tmp/probe 2>/dev/null; then exit 1; fi`;

describe('the Pi itself in trouble', () => {
  let machine: Machine;

  before(async () => {
    machine = await machineWithService();
  });
  after(() => machine.stop());

  const isWell = async (sinceMs: number): Promise<void> => {
    await machine.logged(/^Offline: no network link/, { sinceMs });
    assert.equal(await machine.show('ActiveState'), 'active');
    assert.equal(await machine.show('NRestarts'), '0');
  };

  it('the journal is restarted: the next line is in it', async () => {
    await machine.sh('systemctl restart systemd-journald');
    const sinceMs = Date.now();
    await machine.sh(`systemctl reload ${UNIT}`);
    await machine.logged(/^Configuration reloaded/, { sinceMs });
  });

  it('the journal is stopped and started: what was said meanwhile is in it, and so is the next line', async () => {
    const pid = await mainPid(machine);
    await machine.sh(`systemctl stop ${JOURNALD}; for i in 1 2 3; do systemctl reload ${UNIT}; sleep 0.3; done`);
    const sinceMs = Date.now();
    await machine.sh(`systemctl start ${JOURNALD}`);
    await machine.until(
      'the three lines from before',
      async () =>
        (await machine.journal(UNIT, '--identifier=dunebugger-remote')).filter(
          ({ message, atMs }) => atMs >= sinceMs && message.startsWith('Configuration reloaded'),
        ).length === 3,
    );
    const againMs = Date.now();
    await machine.sh(`systemctl reload ${UNIT}`);
    const line = await machine.logged(/^Configuration reloaded/, { sinceMs: againMs });
    assert.equal(line.priority, 6);
    assert.equal(line.pid, String(pid), 'of the service itself');
  });

  it('the root is read-only from the first start on: it starts and works', async () => {
    // As in an image: the package is installed where nothing may be started.
    await machine.sh(`apt-get purge --yes dunebugger-remote 2>&1; systemctl mask ${UNIT}`);
    await machine.install(await ensureDeb());
    assert.equal(await machine.show('ActiveState'), 'inactive');
    await machine.sh(`systemctl unmask ${UNIT}`);
    await machine.write('/etc/dunebugger-remote/environment', SIGN_IN, '600');
    await machine.sh(READ_ONLY);
    const sinceMs = Date.now();
    await machine.sh(`systemctl start ${UNIT}`);
    await isWell(sinceMs);
  });

  it('it goes read-only later: it starts and works', async () => {
    const sinceMs = Date.now();
    await machine.sh(`systemctl restart ${UNIT}`);
    await isWell(sinceMs);
    await machine.sh(`systemctl stop ${UNIT}; ${WRITABLE}`);
  });

  it('the card is full: it starts and works', async () => {
    await machine.sh(FULL);
    const sinceMs = Date.now();
    await machine.sh(`systemctl start ${UNIT}`);
    await isWell(sinceMs);
  });
});
