/**
 * Does the line lose packets, and how long does one take? By connections to the test site, or to the proxy that leads there, that are opened and closed: what takes a second longer
 * than the others has lost its first packet or the answer to it (RFC 6298, 2.1: it is sent again after a second).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseHostPort, proxyOfSite } from '../../../settings.js';
import { openAddress } from '../../../../workers/net/open-address.js';
import { skipBehind } from '../blame.js';
import { pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** Some 5 kB in all. */
const CONNECTIONS = 24;
const SPACING_MS = 60;
const TCP_MS = 3_500;
/** So much longer than the others: a packet was lost, milliseconds. */
const SENT_AGAIN_MS = 800;
/** One lost packet is nobody's fault. */
const LOST = 2;
/** There and back, milliseconds. */
const SLOW_MS = 300;
/** Whoever has raised the time-out knows about the line, seconds. */
const PATIENT_SECS = 5;

export class LineCheck implements Check {
  readonly id = 'line';
  readonly area = 'network';
  readonly title = 'line';

  async run({ internet, configuration, signal }: Facts): Promise<Finding> {
    const evidence = await internet();
    const behind = skipBehind('hosts', evidence);
    if (behind !== undefined) return behind;
    const address = evidence?.https.find(({ ok }) => ok)?.address;
    if (address === undefined) return skip('the test site is down');
    const { settings } = await configuration();
    const port = proxyOfSite(settings)?.port ?? parseHostPort(settings.testDomain.split(',')[0] ?? '')?.port ?? 443;
    const times = await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, i) => {
        await sleep(i * SPACING_MS, undefined, { signal }).catch(() => undefined);
        return openedAfterMs(address, port, signal);
      }),
    );
    return judge(times, settings.connectionTimeoutSecs >= PATIENT_SECS);
  }
}

/** @param times milliseconds until each was open; undefined: it was not, in time */
export function judge(times: readonly (number | undefined)[], patient: boolean): Finding {
  const open = times.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  const median = open[Math.floor(open.length / 2)];
  if (median === undefined || open.length < times.length / 4) return skip('hardly any connection is opened now');
  const lost = times.filter((ms) => ms === undefined || ms > median + SENT_AGAIN_MS).length;
  if (lost >= LOST) {
    return warn('line-lossy', `of ${times.length} connections ${lost} lost a packet; one takes ${median} ms otherwise`);
  }
  if (median > SLOW_MS && !patient) return warn('line-slow', `a packet takes ${median} ms there and back`);
  return pass(`a packet takes ${median} ms there and back, none is lost`);
}

async function openedAfterMs(address: string, port: number, signal: AbortSignal): Promise<number | undefined> {
  const opened = await openAddress({
    address,
    host: address,
    port,
    tls: undefined,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TCP_MS)]),
  });
  if (!opened.ok) return undefined;
  opened.socket.destroy();
  return opened.steps.tcpMs;
}
