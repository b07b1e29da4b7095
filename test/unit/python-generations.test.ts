/** What the README says of coming from the Python version: the conf file and the `.env` of each of its generations are understood. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadSettings, type LoadedSettings, type Settings } from '../../src/main/settings.js';
import { confOf, dotEnvOf, GENERATIONS, type Generation } from '../support/python-generations.js';

const FOLDER = '/etc/dunebugger-remote';

function load(generation: Generation): LoadedSettings {
  const files = new Map([
    [`${FOLDER}/dunebugger.conf`, confOf(generation)],
    [`${FOLDER}/.env`, dotEnvOf(generation)],
  ]);
  return loadSettings({
    confFile: `${FOLDER}/dunebugger.conf`,
    env: {},
    readFile: (path) => {
      const text = files.get(path);
      if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      return Buffer.from(text);
    },
  });
}

/** What all of them say. */
const SAME: Partial<Settings> = {
  authURL: 'dunebugger.eu.auth0.com',
  websocketEnabled: true,
  broadcastInitialState: true,
  testDomain: 'smart.dunebugger.it',
  mQueueServers: ['nats://nats-server:4222'],
  mQueueClientID: 'remote',
  mQueueSubjectRoot: 'dunebugger',
  auth0ClientId: '7QpXkV2mZt4R9sLw',
  auth0ClientSecret: 'cV3-nT8_pQ6wZ1rK5yB0',
  auth0Username: 'velasquez@example.org',
  auth0Password: 'Sabbia & dune #42',
  wsGroupName: 'velasquez',
};

/** What only some say; where it stands is a line of that generation's own file. */
const OWN: Readonly<Record<string, Partial<Settings>>> = {
  'from before NATS and the internet monitor': { dunebuggerLogLevel: 'DEBUG', connectionIntervalSecs: 7, deviceId: '' },
  'with the internet monitor': { connectionIntervalSecs: 60, deviceId: 'raspberry-velasquez' },
  'with [NTP] and [Updater]': { ntpCheckIntervalSecs: 45, locationDescription: 'Chiesa di San Nicola, Bari' },
  'with the environment instead of a conf file': {
    connectionIntervalSecs: 60,
    heartBeatEverySecs: 50,
    ntpServers: ['ntp1.inrim.it', 'ntp2.inrim.it'],
    ntpCheckIntervalSecs: 45,
    deviceId: 'raspberry-velasquez',
    locationDescription: 'Chiesa di San Nicola, Bari',
  },
  'with numbers and texts that are out of bounds here': {
    connectionIntervalSecs: 3_600,
    connectionTimeoutSecs: 1,
    heartBeatEverySecs: 1,
    heartBeatLoopDurationSecs: 86_400,
    ntpServers: ['ntp1.inrim.it', 'ntp2.inrim.it'],
    ntpCheckIntervalSecs: 1,
    ntpTimeout: 1,
    locationDescription: 'Chiesa di San Nicola Bari',
  },
  "with all of configparser's ways": {
    connectionIntervalSecs: 60,
    ntpServers: ['ntp1.inrim.it', 'ntp2.inrim.it', '0.europe.pool.ntp.org'],
    ntpCheckIntervalSecs: 30,
    dunebuggerLogLevel: 'INFO',
  },
};

describe('a configuration of the Python version', () => {
  for (const generation of GENERATIONS) {
    it(`${generation.name} is understood as it is`, () => {
      const { settings, warnings } = load(generation);
      const wanted = { ...SAME, ...OWN[generation.name] };
      const got = Object.fromEntries(Object.keys(wanted).map((key) => [key, settings[key as keyof Settings]]));
      assert.deepEqual(got, wanted);
      assert.equal(warnings.length, generation.warnings.length, warnings.join('\n'));
      for (const [i, pattern] of generation.warnings.entries()) assert.match(warnings[i] ?? '', pattern);
    });
  }
});
