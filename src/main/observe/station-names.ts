/** The stations of the chain in English. */
import type { Station } from './chain.js';

export const STATION_NAMES: Readonly<Record<Station, string>> = {
  pi: 'Pi',
  interface: 'interface',
  router: 'router',
  'name-server': 'name server',
  internet: 'internet',
  cloud: 'cloud',
  bus: 'bus',
  core: 'core',
  scheduler: 'scheduler',
};
