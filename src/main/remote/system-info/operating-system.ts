/** The `os` of system_info. */

import { within } from './bounded.js';
import type { Host } from './host.js';

export type OsInfo = {
  /** `PRETTY_NAME` of /etc/os-release, such as `Debian GNU/Linux 12 (bookworm)`. */
  readonly name: string | null;
  /** `VERSION`, or `VERSION_ID` where there is none. */
  readonly version: string | null;
  readonly kernel: string | null;
  /** `2025-06-01T12:00:00Z` */
  readonly boot_time_utc: string | null;
};

export async function gatherOs(host: Host, fieldMs: number): Promise<OsInfo> {
  const field = <T>(work: () => Promise<T | undefined>): Promise<T | null> => within(fieldMs, work);
  const [release, kernel, bootTime] = await Promise.all([
    field(async () => (await host.read('/etc/os-release')) ?? host.read('/usr/lib/os-release')),
    field(() => host.read('/proc/sys/kernel/osrelease')),
    field(() => bootTimeOf(host)),
  ]);
  const said = (key: string): string | undefined => valueOf(release ?? '', key);
  return {
    name: said('PRETTY_NAME') ?? said('NAME') ?? null,
    version: said('VERSION') ?? said('VERSION_ID') ?? null,
    kernel,
    boot_time_utc: bootTime,
  };
}

function valueOf(release: string, key: string): string | undefined {
  const value = new RegExp(`^${key}=(.*)$`, 'm').exec(release)?.[1]?.trim();
  return value?.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(["'$`\\])/g, '$1');
}

async function bootTimeOf(host: Host): Promise<string | undefined> {
  const secs = Number(/^btime (\d+)$/m.exec((await host.read('/proc/stat')) ?? '')?.[1]);
  return Number.isNaN(secs) ? undefined : new Date(secs * 1_000).toISOString().replace('.000Z', 'Z');
}
