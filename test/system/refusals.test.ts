/**
 * The service under its own unit, while the system refuses it what it asks for, up to longer than the watchdog waits: it lives, says so once,
 * leaves the connection alone and is whole again within 30 s of the end. More calls and codes: test/integration/refused-calls.test.ts.
 */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lab } from '../lab/lab.js';
import { Refusals, type Errno, type RefusedCall } from '../support/refusals.js';
import type { Machine } from './machine.js';
import { CONNECTED, machineInLab } from './online.js';
import { mainPid, UNIT } from './service.js';

const LIBRARY = '/usr/local/lib/refuse.so';
const SHARED = '/run/refused/rows';
/** Two checks and more. */
const SHORT_MS = 5_000;
/** A minute, and longer than WatchdogSec. */
const LONG_MS = 65_000;
const HEALED_MS = 30_000;

interface Row {
  readonly refuse: readonly (readonly [RefusedCall, Errno])[];
  /** Default: {@link SHORT_MS}. */
  readonly forMs?: number;
  /** What makes the service ask for it, once it is refused. */
  readonly provoke?: (machine: Machine, lab: Lab) => Promise<unknown>;
  /** Warnings, once each. */
  readonly warns: readonly RegExp[];
  /** What says that it is over. */
  readonly over?: RegExp;
}

const killMonitor = (machine: Machine): Promise<unknown> =>
  machine.sh(
    'for comm in /proc/[0-9]*/comm; do if grep -qx ip "$comm"; then kill "$(basename "${comm%/comm}")"; fi; done',
  );
/** With the connection that they have, the checks need no other. */
const dropKept = async (_machine: Machine, lab: Lab): Promise<void> => {
  await lab.internet.call('certificate', 'foreign');
  await lab.internet.call('certificate', 'good');
};
const CHECKS = /^The system refuses what the internet checks need/;
const CHECKS_AGAIN = /^The internet checks can be made again, after/;
const MONITOR = /^`ip monitor` ended/;
/** Whether they are said hangs on what is looked at just then, and on what was said a little before. Once at most, and nothing else. */
const MAY_BE_SAID = [
  /^The system refuses a look at the network links/,
  /^The system refuses the questions about the clock/,
  MONITOR,
];

const ROWS: Readonly<Record<string, Row>> = {
  'sockets, and the checks need some': {
    refuse: [['socket', 'EMFILE']],
    provoke: dropKept,
    warns: [CHECKS],
    over: CHECKS_AGAIN,
  },
  'sockets, by the kernel': { refuse: [['socket', 'ENOBUFS']], provoke: dropKept, warns: [CHECKS], over: CHECKS_AGAIN },
  processes: { refuse: [['fork', 'EAGAIN']], provoke: killMonitor, warns: [MONITOR] },
  'the list of interfaces, and the files of the kernel': {
    refuse: [
      ['getifaddrs', 'EMFILE'],
      ['open-kernel', 'EMFILE'],
    ],
    warns: [],
  },
  'everything, for a minute': {
    refuse: [
      ['fork', 'EAGAIN'],
      ['thread', 'EAGAIN'],
      ['socket', 'EMFILE'],
      ['pipe', 'EMFILE'],
      ['getifaddrs', 'EMFILE'],
      ['open-kernel', 'EMFILE'],
      ['open-file', 'EMFILE'],
    ],
    forMs: LONG_MS,
    provoke: async (machine, lab) => {
      await killMonitor(machine);
      await dropKept(machine, lab);
    },
    warns: [CHECKS],
    over: CHECKS_AGAIN,
  },
};

describe('the service, refused what it asks for', () => {
  let lab: Lab;
  let machine: Machine;
  let refusals: Refusals;
  let pid: number;

  before(async () => {
    const command = `/usr/bin/node /usr/lib/dunebugger-remote/dist/src/main/cli.js run --config /etc/dunebugger-remote/dunebugger.conf`;
    ({ lab, machine } = await machineInLab(
      {
        // As in the unit, but that the service is preloaded, and not what starts it.
        dropIn: [
          'ExecStart=',
          `ExecStart=/usr/lib/dunebugger-remote/with-notify-socket /usr/bin/env LD_PRELOAD=${LIBRARY} REFUSE_FILE=${SHARED} ${command}`,
          'ReadWritePaths=/run/refused',
        ],
        prepare: async (it) => {
          await it.sh('mkdir -m 755 /run/refused');
          const shared = `/proc/${it.initPid}/root${SHARED}`;
          refusals = new Refusals(shared);
          // The service has a user of its own.
          chmodSync(shared, 0o666);
          await it.write(LIBRARY, readFileSync(Refusals.library));
        },
      },
      ['DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS=2'],
    ));
    await isConnected();
    pid = await mainPid(machine);
  });
  after(async () => {
    await machine.stop();
    await lab.destroy();
    refusals.remove();
  });

  const isConnected = (): Promise<boolean> =>
    machine.until('it is connected', async () => CONNECTED.test(await machine.show('StatusText')), 60_000);

  for (const [name, { refuse, forMs = SHORT_MS, provoke, warns, over }] of Object.entries(ROWS)) {
    it(name, async () => {
      const sinceMs = Date.now();
      for (const [call, errno] of refuse) refusals.refuse(call, errno);
      await provoke?.(machine, lab);
      await delay(forMs);
      for (const [call] of refuse) refusals.allow(call);
      const endedMs = Date.now();
      if (over !== undefined) await machine.logged(over, { sinceMs, deadlineMs: HEALED_MS });
      await isConnected();
      await machine.until(
        '`ip monitor` runs',
        async () => (await machine.sh('cat /proc/[0-9]*/comm 2>/dev/null || true')).split('\n').includes('ip'),
        HEALED_MS,
      );
      assert.ok(Date.now() - endedMs < HEALED_MS, `healed after ${Date.now() - endedMs} ms`);
      await machine.sh(`systemctl reload ${UNIT}`);
      await machine.logged(/^Configuration reloaded/, { sinceMs: endedMs });

      assert.equal(await mainPid(machine), pid, 'the same process');
      assert.equal(await machine.show('NRestarts'), '0');
      const said = (await machine.journal(UNIT, '--priority=warning'))
        .filter(({ atMs }) => atMs >= sinceMs)
        .map(({ message }) => message);
      const counted = (warning: RegExp): number => said.filter((line) => warning.test(line)).length;
      const all = said.join('\n');
      for (const warning of warns) assert.equal(counted(warning), 1, `${String(warning)}:\n${all}`);
      for (const warning of MAY_BE_SAID) assert.ok(counted(warning) <= 1, `${String(warning)}:\n${all}`);
      const known = [...warns, ...MAY_BE_SAID];
      assert.deepEqual(
        said.filter((line) => !known.some((warning) => warning.test(line))),
        [],
      );
    });
  }
});
