/** What a check of a healthy network puts on the wire. Needs root. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ETHERNET_HEADER_BYTES } from './counters.js';
import { LabDaemon } from './daemon.js';
import { Lab } from './lab.js';
import { run } from './netns.js';
import { PORTS } from './topology.js';

const CHECKS = 3;
/** Both ways, Ethernet headers included, names and request together. */
const MOST_BYTES = 700;

const NETWORKS: readonly (readonly [name: string, ipv6: boolean, queries: number])[] = [
  ['IPv4', false, 1],
  // Of the kept connection's family alone.
  ['IPv4 and IPv6', true, 1],
];

describe('a healthy check', { concurrency: NETWORKS.length }, () => {
  for (const [name, ipv6, queries] of NETWORKS)
    it(`${name}: at most ${MOST_BYTES} bytes, and ${queries} query`, async (t) => {
      const lab = await Lab.create({ ipv6 });
      try {
        const ports = (way: 'dport' | 'sport'): string => `th ${way} { ${PORTS.dns}, ${PORTS.site} }`;
        await lab.addRules(
          'router',
          'cost',
          `counter checks {}
chain forward { type filter hook forward priority -190; policy accept;
meta l4proto { tcp, udp } ${ports('dport')} counter name checks
meta l4proto { tcp, udp } ${ports('sport')} counter name checks
}`,
        );
        const read = async (): Promise<number> => {
          const at = [
            'netns',
            'exec',
            lab.namespace('router'),
            'nft',
            '-j',
            'list',
            'counters',
            'table',
            'inet',
            'cost',
          ];
          const { nftables } = JSON.parse(await run('ip', at)) as {
            nftables: { counter?: { packets: number; bytes: number } }[];
          };
          return nftables.reduce(
            (sum, { counter }) => sum + (counter ? counter.bytes + counter.packets * ETHERNET_HEADER_BYTES : 0),
            0,
          );
        };
        // The names of time servers are looked up in their own time.
        const daemon = LabDaemon.start(lab, { env: { DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1' } });
        try {
          await daemon.joined();
          await daemon.checked(2);
          const [before, traffic] = [await read(), await lab.traffic()];
          await daemon.checked(CHECKS, daemon.journal.mark(), { timeoutMs: 60_000 });
          const bytes = ((await read()) - before) / CHECKS;
          t.diagnostic(`${Math.round(bytes)} bytes a check`);
          assert.ok(bytes <= MOST_BYTES, `${bytes} bytes a check`);
          assert.equal((await lab.traffic(traffic)).dns.packets, CHECKS * queries, daemon.journal.tail());
          assert.equal((await lab.traffic(traffic)).synSite.packets, 0, 'the connection is kept');
        } finally {
          await daemon.kill();
        }
      } finally {
        await lab.destroy();
      }
    });
});
