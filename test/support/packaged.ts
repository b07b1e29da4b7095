/** What the package gives the service beside its code: Node's options, of the launcher, and its environment and bounds, of the unit. */
import { readFileSync } from 'node:fs';

const read = (file: string): string => readFileSync(new URL(`../../../conf/${file}`, import.meta.url), 'utf8');

/** Options that `/usr/bin/dunebugger-remote` starts Node with. */
export function nodeArgsOfLauncher(): readonly string[] {
  const flags = /^flags='(.+)'$/m.exec(read('debian/launcher'))?.[1];
  if (flags === undefined) throw new Error('conf/debian/launcher names no options of Node');
  return flags.split(' ');
}

/** A variable that the unit sets. */
export function environmentOfUnit(name: string): string {
  return ofUnit(`Environment=${name}`);
}

/** `MemoryHigh=` or `MemoryMax=` of the unit, bytes. */
export function memoryOfUnit(name: 'MemoryHigh' | 'MemoryMax'): number {
  return Number.parseInt(ofUnit(name), 10) * 1024 * 1024;
}

function ofUnit(key: string): string {
  const value = new RegExp(`^${key}=(\\S+)$`, 'm').exec(read('dunebugger-remote.service'))?.[1];
  if (value === undefined) throw new Error(`conf/dunebugger-remote.service has no ${key}`);
  return value;
}
