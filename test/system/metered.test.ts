/** `dataSaver = auto` under the real unit: a real NetworkManager, behind a real dbus-daemon with its real policy, is asked through the sandbox and followed. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Machine } from './machine.js';
import { BOOTABLE, type Debian } from './root.js';
import { machineWithService, mainPid, UNIT } from './service.js';

const ON = /^Data saver on \(NetworkManager says that the line is metered\)/;
const OFF = /^Data saver off \(NetworkManager says that the line is unmetered\)/;
/** The line, and another one that stands in for it. */
const PROFILE = (name: string, metered: 'yes' | 'no'): string =>
  `nmcli connection add type ethernet ifname lan con-name ${name} autoconnect no connection.metered ${metered} ipv6.method disabled
   nmcli connection modify ${name} ipv4.method manual ipv4.addresses 192.0.2.${name.length}/24 ipv4.gateway 192.0.2.1`;

for (const debian of Object.keys(BOOTABLE) as Debian[])
  describe(`a metered line, on ${debian}`, () => {
    let machine: Machine;
    before(async () => {
      machine = await machineWithService({
        debian,
        prepare: async (it) => {
          await it.sh(`
            ip link add lan type veth peer name other
            ip link set lan up; ip link set other up; ip link set lo up
            DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends network-manager 2>&1`);
          await it.sh(`
            systemctl start NetworkManager
            nmcli device set other managed no
            ${PROFILE('stick', 'yes')}
            ${PROFILE('fibre-line', 'no')}
            nmcli --wait 30 connection up stick`);
        },
      });
    });
    after(() => machine.stop());

    it('is known by the word of NetworkManager, whom the service may ask', async (t) => {
      const { message } = await machine.logged(ON);
      t.diagnostic(message);
      const said = (await machine.journal()).filter((one) => /cannot be asked/.test(one.message));
      assert.deepEqual(said, []);
      assert.match(await machine.sh('nmcli -g GENERAL.METERED device show lan'), /^yes\n/);
    });

    it('is no longer, once another connection carries; and is again, once it does', async (t) => {
      const pid = await mainPid(machine);
      for (const [name, word] of [
        ['fibre-line', OFF],
        ['stick', ON],
      ] as const) {
        const sinceMs = Date.now();
        await machine.sh(`nmcli --wait 30 connection up ${name}`);
        const { atMs } = await machine.logged(word, { sinceMs, deadlineMs: 60_000 });
        t.diagnostic(`${name}: told ${Math.round(atMs - sinceMs)} ms after \`nmcli connection up\``);
      }
      assert.equal(await mainPid(machine), pid);
    });

    it('is asked for again at a reload, where only the property was set', async () => {
      const sinceMs = Date.now();
      await machine.sh(`nmcli connection modify stick connection.metered no; systemctl reload ${UNIT}`);
      await machine.logged(OFF, { sinceMs });
      await machine.sh(`nmcli connection modify stick connection.metered yes; systemctl reload ${UNIT}`);
      await machine.logged(ON, { sinceMs });
    });

    it('is known to one whose user was made up by systemd, too, once the package is installed over it', async () => {
      await machine.sh(`
        DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends libnss-systemd 2>&1
        systemctl stop ${UNIT}; userdel dunebugger-remote; systemctl start ${UNIT}`);
      const uid = async (): Promise<number> => Number(await machine.sh('id -u dunebugger-remote'));
      assert.ok((await uid()) >= 61_184, 'of the range of dynamic users');
      await machine.logged(/cannot be asked/);
      const sinceMs = Date.now();
      await machine.sh('apt-get install --yes --reinstall /root/dunebugger-remote_*.deb 2>&1');
      await machine.logged(/^Data saver/, { sinceMs });
      assert.ok((await uid()) < 1_000);
      assert.equal(
        (await machine.sh('stat -c %u /var/lib/dunebugger-remote/history/*')).trim().split('\n')[0],
        String(await uid()),
      );
    });

    it('is unknown where there is no bus: said once, with what to do, and unmetered', async () => {
      const sinceMs = Date.now();
      await machine.sh(`systemctl stop dbus.socket dbus.service; systemctl reload ${UNIT}`);
      const { message } = await machine.logged(/cannot be asked/, { sinceMs });
      assert.match(message, /set dataSaver = True in \[Network\]/);
      await machine.logged(/^Data saver off \(nobody says that the line is metered\)/, { sinceMs });
    });
  });
