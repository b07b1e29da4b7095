/** The `hardware` of system_info: files of the kernel first, as they say exactly what a Pi is. */

import { within } from './bounded.js';
import type { Host } from './host.js';

export type HardwareInfo = {
  readonly model: string | null;
  readonly revision: string | null;
  readonly cpu: {
    readonly model: string | null;
    /** Physical cores. */
    readonly cores: number | null;
    /** As `uname -m` says it: `aarch64`, `armv7l`, `x86_64`. */
    readonly architecture: string | null;
    readonly current_temp_c: number | null;
    /** Load averages of 1, 5 and 15 minutes. */
    readonly load: readonly number[] | null;
  };
  readonly memory: { readonly total_mb: number | null; readonly used_mb: number | null };
  readonly storage: {
    readonly root_device: string | null;
    readonly total_gb: number | null;
    readonly used_gb: number | null;
  };
};

export async function gatherHardware(host: Host, fieldMs: number): Promise<HardwareInfo> {
  const field = <T>(work: () => Promise<T | undefined>): Promise<T | null> => within(fieldMs, work);
  const [model, revision, processor, architecture, temperature, load, memory, device, space] = await Promise.all([
    field(() => modelOf(host)),
    field(() => revisionOf(host)),
    field(() => processorOf(host)),
    field(() => architectureOf(host)),
    field(() => temperatureOf(host)),
    field(() => loadOf(host)),
    field(() => memoryOf(host)),
    field(() => rootDeviceOf(host)),
    field(() => host.rootSpace()),
  ]);
  return {
    model,
    revision,
    cpu: {
      model: processor?.model ?? null,
      cores: processor?.cores ?? null,
      architecture,
      current_temp_c: temperature,
      load,
    },
    memory: { total_mb: memory?.total_mb ?? null, used_mb: memory?.used_mb ?? null },
    storage: {
      root_device: device,
      total_gb: space === null ? null : gigabytes(space.total),
      used_gb: space === null ? null : gigabytes(space.used),
    },
  };
}

function gigabytes(bytes: number): number {
  return Math.round((bytes / 1_024 ** 3) * 10) / 10;
}

async function modelOf(host: Host): Promise<string | undefined> {
  const tree = (await host.read('/proc/device-tree/model')) ?? (await host.read('/sys/firmware/devicetree/base/model'));
  if (tree !== undefined && tree !== '') return tree;
  const [vendor, product] = await Promise.all([
    host.read('/sys/class/dmi/id/sys_vendor'),
    host.read('/sys/class/dmi/id/product_name'),
  ]);
  const dmi = [vendor, product].filter((part) => part !== undefined && part !== '').join(' ');
  return dmi === '' ? architectureOf(host) : dmi;
}

/** A Pi's revision code in hex, without leading zeros, as `Revision` in /proc/cpuinfo has it. */
async function revisionOf(host: Host): Promise<string | undefined> {
  const said = /^Revision\s*:\s*([0-9a-f]+)\s*$/im.exec((await host.read('/proc/cpuinfo')) ?? '')?.[1];
  if (said !== undefined) return said;
  const hex = (await host.readHex('/proc/device-tree/system/linux,revision'))?.replace(/^0+/, '');
  return hex === '' ? undefined : hex;
}

async function processorOf(host: Host): Promise<{ model: string | undefined; cores: number | undefined } | undefined> {
  const text = await host.read('/proc/cpuinfo');
  const named = /^model name\s*:\s*(.+)$/im.exec(text ?? '')?.[1]?.trim();
  const processors = text?.match(/^processor\s*:/gim)?.length ?? 0;
  // "ARMv7 Processor rev 3" names the architecture and not the processor; a 64-bit ARM kernel names nothing.
  if (named !== undefined && !/^ARMv\d/.test(named))
    return { model: named, cores: physicalCores(text ?? '') ?? processors };
  const { brand, physicalCores: cores } = await host.cpuByPackage();
  return { model: brand === '' ? named : brand, cores: cores > 0 ? cores : processors };
}

/** Hyper-threads of one core share its physical id and core id. */
function physicalCores(cpuinfo: string): number | undefined {
  const cores = new Set<string>();
  for (const block of cpuinfo.split(/\n\s*\n/)) {
    const socket = /^physical id\s*:\s*(\d+)/m.exec(block)?.[1];
    const core = /^core id\s*:\s*(\d+)/m.exec(block)?.[1];
    if (socket !== undefined && core !== undefined) cores.add(`${socket}/${core}`);
  }
  return cores.size > 0 ? cores.size : undefined;
}

async function architectureOf(host: Host): Promise<string | undefined> {
  // Since Linux 6.1.
  return (await host.read('/proc/sys/kernel/arch')) ?? (await host.run('uname', ['-m'], 500))?.trim();
}

async function temperatureOf(host: Host): Promise<number | undefined> {
  const zones = (await host.list('/sys/class/thermal')).filter((name) => /^thermal_zone\d+$/.test(name)).sort();
  const typed = await Promise.all(
    zones.map(async (zone) => ({ zone, type: (await host.read(`/sys/class/thermal/${zone}/type`)) ?? '' })),
  );
  const chosen = typed.find(({ type }) => /cpu|x86_pkg|soc/i.test(type)) ?? typed[0];
  if (chosen === undefined) return undefined;
  const milli = Number.parseInt((await host.read(`/sys/class/thermal/${chosen.zone}/temp`)) ?? '', 10);
  return Number.isNaN(milli) ? undefined : Math.round(milli / 100) / 10;
}

async function loadOf(host: Host): Promise<readonly number[] | undefined> {
  const numbers = ((await host.read('/proc/loadavg')) ?? '').split(' ').slice(0, 3).map(Number);
  return numbers.length === 3 && numbers.every(Number.isFinite) ? numbers : undefined;
}

async function memoryOf(host: Host): Promise<{ total_mb: number; used_mb: number } | undefined> {
  const text = (await host.read('/proc/meminfo')) ?? '';
  const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  const [total, available] = [kilobytes('MemTotal'), kilobytes('MemAvailable')];
  if (Number.isNaN(total) || Number.isNaN(available)) return undefined;
  return { total_mb: Math.round(total / 1_024), used_mb: Math.round((total - available) / 1_024) };
}

async function rootDeviceOf(host: Host): Promise<string | undefined> {
  const lines = ((await host.read('/proc/self/mounts')) ?? (await host.read('/proc/mounts')) ?? '').split('\n');
  // The last mount over / is the one that is seen.
  return lines.map((line) => line.split(' ')).findLast(([, where]) => where === '/')?.[0];
}
