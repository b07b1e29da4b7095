/** Names that only the system's resolver knows, under the real unit's sandbox: the bus is found by avahi, nss-myhostname and systemd-resolved. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import type { Machine } from './machine.js';
import { ENVIRONMENT, machineWithService, mainPid, SIGN_IN } from './service.js';

/** Of the network that the machine is alone in. */
const ADDRESS = '192.0.2.5';
/** From the packages that the machine has ready. */
const apt = (...names: readonly string[]): string =>
  `DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ${names.join(' ')} 2>&1`;

describe('the bus under a name of the house', () => {
  let machine: Machine;
  before(async () => {
    const nats = findNatsServer();
    if (nats === undefined) throw new NatsServerMissingError();
    machine = await machineWithService({
      prepare: async (it) => {
        await it.write('/usr/local/bin/nats-server', readFileSync(nats), '755');
        await it.sh(`
          ip link add lan type veth peer name other
          ip addr add ${ADDRESS}/24 dev lan
          ip link set lan up; ip link set other up; ip link set lo up
          systemd-run --quiet --unit=bus -p Restart=always -p RestartSec=100ms /usr/local/bin/nats-server --addr 0.0.0.0 --port 4222
          ${apt('avahi-daemon', 'libnss-mdns')}
          sed -i 's/^#\\?host-name=.*/host-name=casa/; s/^use-ipv6=.*/use-ipv6=no/' /etc/avahi/avahi-daemon.conf
          systemctl restart avahi-daemon`);
      },
    });
  });
  after(() => machine.stop());

  /** The service with this server; resolves when it has found it. */
  async function finds(server: string): Promise<void> {
    const sinceMs = Date.now();
    await machine.write(
      ENVIRONMENT,
      `${SIGN_IN}DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS=nats://${server}:4222\nDUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL=DEBUG\n`,
      '600',
    );
    await machine.sh('systemctl restart dunebugger-remote');
    const { message } = await machine.logged(/^The bus is there/, { sinceMs, deadlineMs: 60_000 });
    assert.ok(message.includes(server), message);
  }

  it('in .local: found by avahi; while avahi is away it is said what it takes, and it is found once it is back', async () => {
    assert.match(await machine.sh('getent ahosts casa.local'), new RegExp(`^${ADDRESS} `));
    await finds('casa.local');
    const pid = await mainPid(machine);
    const children = await machine.sh(`cat /proc/${pid}/task/*/children; ps -o comm= --ppid ${pid} || :`);
    assert.doesNotMatch(children, /getent/, 'none is left');

    await machine.sh('systemctl stop avahi-daemon.socket avahi-daemon.service; systemctl kill bus');
    const lostMs = Date.now();
    await machine.logged(/^The bus is there.*casa\.local/, { sinceMs: lostMs, deadlineMs: 60_000 });
    assert.equal(await mainPid(machine), pid, 'by the address that it had');

    const sinceMs = Date.now();
    await machine.sh('systemctl restart dunebugger-remote');
    await machine.logged(/^The bus is not there.*casa\.local could not be resolved .*avahi-daemon libnss-mdns/s, {
      sinceMs,
      deadlineMs: 60_000,
    });
    const unresolved = await mainPid(machine);
    await machine.sh('systemctl start avahi-daemon.socket avahi-daemon.service');
    await machine.logged(/^The bus is there.*casa\.local/, { sinceMs, deadlineMs: 60_000 });
    assert.equal(await mainPid(machine), unresolved);
  });

  it('the machine itself: found by nss-myhostname', async () => {
    await machine.sh(apt('libnss-myhostname'));
    const name = (await machine.sh('hostname')).trim();
    assert.notEqual((await machine.run('grep', ['-w', name, '/etc/hosts'])).code, 0, 'the hosts file does not have it');
    await finds(name);
  });

  it('a name of systemd-resolved: found by nss-resolve', async () => {
    await machine.sh(apt('systemd-resolved', 'libnss-resolve'));
    await machine.sh('systemctl start systemd-resolved');
    await finds('_localdnsstub');
  });
});
