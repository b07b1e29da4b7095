/** Runs one scenario with one kind of client: lines, the service, and whoever lives behind each line. */
import { seeded, type Random } from '../lab/random.js';
import { Agenda } from './agenda.js';
import type { Scenario } from './scenario.js';
import { Service } from './service.js';

/** What a kind of client needs of the world, and is told by it. */
export interface Fleet {
  /** At the begin: connected for long, or booting. */
  begin(device: number, how: Scenario['start']): void;
  /** What it noted for this device and this slot is due. */
  due(device: number, slot: number, atMs: number): void;
  lineLost(device: number, atMs: number): void;
  lineBack(device: number, atMs: number): void;
  /** The service closed its socket with a close frame. */
  closed(device: number, atMs: number): void;
}

export interface World {
  readonly devices: number;
  readonly random: Random;
  readonly service: Service;
  /** Whether the scenario gave the devices a valid URL. */
  readonly urls: Scenario['urls'];
  note(device: number, slot: number, atMs: number): void;
  cancel(device: number, slot: number): void;
  lineUp(device: number): boolean;
}

export interface Client {
  readonly name: string;
  make(world: World): Fleet;
}

/** Slots of a device on the agenda: those of its client, and the world's own for its line. */
export const SLOTS = 4;
const LINE = SLOTS - 1;

export function run(scenario: Scenario, client: Client, devices: number, seed: number): Service {
  const random = seeded(seed);
  const service = new Service(devices, scenario);
  const events = scenario.service ?? [];
  const agenda = new Agenda(devices * SLOTS + events.length * 2, scenario.lengthSecs * 1_000 - 1);
  const up = new Uint8Array(devices).fill(1);
  /** Of the line, per device: the event to come. */
  const step = new Uint16Array(devices);
  const world: World = {
    devices,
    random,
    service,
    urls: scenario.urls,
    note: (device, slot, atMs) => agenda.set(device * SLOTS + slot, atMs),
    cancel: (device, slot) => agenda.clear(device * SLOTS + slot),
    lineUp: (device) => up[device] === 1,
  };
  const fleet = client.make(world);
  const outages = scenario.outages ?? [];
  const lineMs = (n: number): number | undefined => {
    const outage = outages[n >> 1];
    if (outage === undefined) return undefined;
    return 1_000 * (n % 2 === 0 ? outage.fromSecs : outage.toSecs + random.next() * outage.backOverSecs);
  };
  const noteLine = (device: number): void => {
    const atMs = lineMs(step[device]!);
    if (atMs !== undefined) agenda.set(device * SLOTS + LINE, atMs);
  };
  const first = devices * SLOTS;
  events.forEach((event, n) => agenda.set(first + n, event.atSecs * 1_000));

  for (let device = 0; device < devices; device += 1) {
    if (scenario.start === 'connected') service.connected(device);
    fleet.begin(device, scenario.start);
    noteLine(device);
  }

  const serviceEvent = (n: number, atMs: number): void => {
    const event = events[n];
    if (event === undefined) return;
    if (event.kind === 'room') {
      service.room = event.share * devices;
      return;
    }
    if (event.kind === 'maintenance') service.downUntil(event.untilSecs * 1_000);
    for (let device = 0; device < devices; device += 1) {
      const wasIn = service.isIn(device);
      service.dropped(device, atMs);
      if (event.kind !== 'close') service.forgets(device);
      if (wasIn && up[device] === 1) fleet.closed(device, atMs);
    }
  };

  agenda.run((node, atMs) => {
    if (node >= first) {
      serviceEvent(node - first, atMs);
      return;
    }
    const device = Math.floor(node / SLOTS);
    const slot = node % SLOTS;
    if (slot !== LINE) {
      fleet.due(device, slot, atMs);
      return;
    }
    up[device] = step[device]! % 2;
    step[device]! += 1;
    if (up[device] === 1) {
      fleet.lineBack(device, atMs);
    } else {
      service.dropped(device, atMs);
      fleet.lineLost(device, atMs);
    }
    noteLine(device);
  });
  return service;
}
