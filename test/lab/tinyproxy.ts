/** A real proxy in the lab's router: tinyproxy, as Debian has it. */
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { registerSecret } from '../support/everything-logged.js';
import type { Lab } from './lab.js';
import { etcOf, run } from './netns.js';
import { LAN, NET, PORTS } from './topology.js';

export interface TinyproxyOptions {
  readonly port: number;
  /** Who may use it; default: everybody. */
  readonly login?: { readonly user: string; readonly password: string };
}

const PATIENCE_MS = 10_000;

/** Resolves when it listens. It is killed with the lab at the latest. */
export async function startTinyproxy(lab: Lab, { port, login }: TinyproxyOptions): Promise<ChildProcess> {
  if (login !== undefined) registerSecret(login.password);
  writeFileSync(`${etcOf(lab.namespace('router'))}/resolv.conf`, `nameserver ${NET.v4}\n`);
  const conf = join(lab.folder, `tinyproxy-${port}.conf`);
  const lines = [
    `Port ${port}`,
    `Listen ${LAN.v4}`,
    'Timeout 600',
    ...[PORTS.site, PORTS.cloud].map((allowed) => `ConnectPort ${allowed}`),
    ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`]),
  ];
  writeFileSync(conf, `${lines.join('\n')}\n`);
  const child = lab.exec('router', 'tinyproxy', ['-d', '-c', conf], { stdio: 'ignore' });
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await listens(lab, port))) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`tinyproxy does not listen (Debian: tinyproxy-bin); it ended with ${String(child.exitCode)}`);
    await sleep(50);
  }
  return child;
}

/** Takes from the Pi every other way out than the proxy, its name servers too, and drops and counts what leaves all the same. */
export async function leaveOnlyTheProxy(lab: Lab): Promise<void> {
  await lab.ip('pi', `route del default via ${LAN.v4}`, ...(lab.ipv6 ? [`route del default via ${LAN.v6}`] : []));
  lab.setResolvConf([]);
  await lab.addRules(
    'router',
    'direct',
    `counter direct {}
chain forward { type filter hook forward priority filter; policy accept;
iifname ${LAN.name} counter name direct drop
}`,
  );
}

/** Packets that were sent past the proxy. */
export async function sentPastTheProxy(lab: Lab): Promise<number> {
  const text = await run('ip', ['netns', 'exec', lab.namespace('router'), 'nft', '-j', 'list', 'counters']);
  const { nftables } = JSON.parse(text) as { nftables: { counter?: { name: string; packets: number } }[] };
  const direct = nftables.find(({ counter }) => counter?.name === 'direct')?.counter;
  if (direct === undefined) throw new Error('nobody counts');
  return direct.packets;
}

async function listens(lab: Lab, port: number): Promise<boolean> {
  const said = await run('ip', ['netns', 'exec', lab.namespace('router'), 'ss', '-Hltn', `sport = :${port}`]);
  return said.trim() !== '';
}
