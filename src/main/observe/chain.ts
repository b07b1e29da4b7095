/**
 * The chain from this machine to the cloud, and to the components on the bus: a station each, with what is known of it. Pure.
 *
 * Only the first bad station of a branch is called bad; what is behind it is not looked at because of it. What a station shows is
 * what the checks have seen anyway: no packet is sent for it.
 */
import { betterUplink, betterWords, uplinkWords } from '../evidence-text.js';
import { plain, reasonWords, TROUBLES } from '../troubles.js';
import type { OfflineReason } from '../../workers/protocol.js';
import type { Machine } from './machine.js';
import type { ComponentPart, InternetPart, Parts } from './parts.js';

export const STATIONS = [
  'pi',
  'interface',
  'router',
  'name-server',
  'internet',
  'cloud',
  'bus',
  'core',
  'scheduler',
] as const;

export type Station = (typeof STATIONS)[number];

/** `behind`: not looked at, because a station before it is bad. `off`: not wanted. */
export type StationState = 'ok' | 'bad' | 'unknown' | 'behind' | 'off';

export interface ChainLink {
  readonly station: Station;
  readonly state: StationState;
  /** A few words, such as `name server silent`; may be empty. */
  readonly words: string;
}

/** Where the branch to the components leaves that to the cloud. */
const HOUSE: readonly Station[] = ['bus', 'core', 'scheduler'];

/** The station that a reason blames. A wrong clock and a missing store of certificates are this machine's own. */
const BLAMED: Readonly<Record<OfflineReason, Station>> = {
  'no-link': 'interface',
  'no-route': 'router',
  portal: 'internet',
  'no-ca-store': 'pi',
  clock: 'pi',
  'dns-timeout': 'name-server',
  'dns-failed': 'name-server',
  proxy: 'internet',
  'tcp-timeout': 'internet',
  'tcp-refused': 'internet',
  'tls-failed': 'internet',
  'http-timeout': 'internet',
};

type Found = Omit<ChainLink, 'station'>;

const ok = (words = ''): Found => ({ state: 'ok', words });
const bad = (words: string): Found => ({ state: 'bad', words });
const unknown = (words = ''): Found => ({ state: 'unknown', words });
const OFF: Found = { state: 'off', words: '' };

export function chainOf(parts: Parts, machine?: Machine): readonly ChainLink[] {
  const found = STATIONS.map((station) => ({ station, ...findingOf(station, parts, machine) }));
  return found.map((link, index) => {
    const branch = HOUSE.includes(link.station);
    const before = found.slice(0, index).filter(({ station }) => HOUSE.includes(station) === branch);
    // A bad cause greys what only depends on it: core does not hang on the scheduler, nor either of them on the other's silence.
    const cause = before.find(({ station, state }) => state === 'bad' && station !== 'core');
    return cause === undefined || link.state === 'off' ? link : { ...link, state: 'behind', words: '' };
  });
}

function findingOf(station: Station, parts: Parts, machine: Machine | undefined): Found {
  switch (station) {
    case 'pi':
      if (parts.daemon.problem !== undefined) return bad(parts.daemon.problem);
      return onTheWay(station, parts.internet, machineWords(machine));
    case 'interface':
      return onTheWay(station, parts.internet, interfaceWords(machine?.interface ?? null, parts.internet));
    case 'router':
      return onTheWay(station, parts.internet, machine?.router ?? '');
    case 'name-server':
      return onTheWay(station, parts.internet, parts.internet?.lastEvidence?.dns?.servers.join(', ') ?? '');
    case 'internet':
      return onTheWay(station, parts.internet, parts.internet?.testDomain ?? '');
    case 'cloud':
      return cloud(parts);
    case 'bus':
      if (parts.bus === 'off') return OFF;
      return parts.bus === 'up' ? ok() : bad(TROUBLES['bus-away'].title);
    case 'core':
      return component(parts, 'dunebugger');
    case 'scheduler':
      return component(parts, 'scheduler');
  }
}

function machineWords(machine: Machine | undefined): string {
  const parts = [
    ofNumber(machine?.temperatureC, '°C'),
    ofNumber(machine?.memoryFreeMb, 'MB of memory free'),
    machine?.underVoltage === true ? ['the power supply is too weak'] : [],
  ];
  return parts.flat().join(', ');
}

function ofNumber(value: number | null | undefined, unit: string): string[] {
  return typeof value === 'number' ? [`${value} ${unit}`] : [];
}

function interfaceWords(link: Machine['interface'], internet: InternetPart | undefined): string {
  const others = (internet?.lastEvidence?.link?.uplinks ?? []).filter(({ role }) => role === 'stands-by');
  const own = link === null ? [] : [link.signalDbm === null ? link.name : `${link.name}, Wi-Fi ${link.signalDbm} dBm`];
  return [...own, ...(others.length === 0 ? [] : [uplinkWords(others)])].join('; ');
}

/** A station of the way out: good where the internet is there, and where the reason blames one further on. */
function onTheWay(station: Station, internet: InternetPart | undefined, words: string): Found {
  if (internet === undefined) return station === 'pi' ? ok(words) : OFF;
  switch (internet.verdict) {
    case 'unknown':
      return station === 'pi' ? ok(words) : unknown();
    case 'online':
      return ok(words);
    case 'offline': {
      if (internet.reason === undefined) return station === 'internet' ? bad(TROUBLES['no-internet'].title) : unknown();
      const link = internet.lastEvidence?.link;
      const better = betterUplink(link);
      const blamed = better === undefined ? BLAMED[internet.reason] : 'interface';
      if (station !== blamed) return ok(words);
      if (better !== undefined) return bad(betterWords(better));
      const detail = link !== undefined && !link.ok && link.detail !== undefined ? `: ${link.detail}` : '';
      return bad(`${reasonWords(internet.reason)}${detail}`);
    }
  }
}

function cloud({ cloud: part, internet }: Parts): Found {
  if (part === undefined) return OFF;
  if (internet?.verdict !== 'online') return unknown();
  switch (part.kind) {
    case 'connected':
      return ok(part.group === undefined ? '' : `group ${part.group}`);
    case 'backing-off':
      return bad(part.lastFailure?.message ?? TROUBLES['cloud-lost'].title);
    case 'recovering':
      return bad(TROUBLES['cloud-interrupted'].title);
    default:
      return part.lastFailure === undefined ? unknown('connecting') : bad(plain(part.lastFailure.message));
  }
}

function component({ bus, components }: Parts, name: ComponentPart['name']): Found {
  if (bus === 'off') return OFF;
  const part = components.find((candidate) => candidate.name === name);
  const version = part?.version ?? '';
  switch (part?.state) {
    case 'running':
      return ok(version);
    case 'not_responding':
      return bad(TROUBLES['component-away'].title);
    default:
      return unknown();
  }
}
