/**
 * What the Python version was configured by, over its life: a conf file and a `.env` of each generation, all of one installation
 * (group, secrets), in `python-version/`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { SHIPPED_CONF } from '../../src/main/settings.js';

/** Compiled to dist/test/support/. */
const FOLDER = fileURLToPath(new URL('../../../test/support/python-version/', import.meta.url));

export interface Generation {
  readonly name: string;
  /** undefined: it had none; ours as shipped stands there then. */
  readonly confFile: string | undefined;
  readonly dotEnvFile: string;
  /** What each warning at its start says, in order. */
  readonly warnings: readonly RegExp[];
}

function generation(folder: string, name: string, warnings: readonly RegExp[] = [], hasConf = true): Generation {
  return {
    name,
    confFile: hasConf ? path.join(FOLDER, folder, 'dunebugger.conf') : undefined,
    dotEnvFile: path.join(FOLDER, folder, 'dot-env'),
    warnings,
  };
}

/** That of December 2025, with the internet monitor. */
export const DECEMBER = generation('.', 'with the internet monitor');

export const GENERATIONS: readonly Generation[] = [
  generation('before-the-bus', 'from before NATS and the internet monitor', [
    /line 2: \[General\] pipePath is unknown and ignored/,
    /line 14: \[MessageQueue\] mQueueMode is unknown and ignored/,
    /line 15: \[MessageQueue\] mQueueAddress is unknown and ignored/,
    /line 16: \[MessageQueue\] mQueueTopic is unknown and ignored/,
  ]),
  DECEMBER,
  generation('2026-beta', 'with [NTP] and [Updater]'),
  generation('2026-environment', 'with the environment instead of a conf file', [], false),
  generation('out-of-bounds', 'with numbers and texts that are out of bounds here', [
    /line 12: .* heartBeatLoopDurationSecs = "1_000_000" is not allowed: .*; 86400 is used/,
    /line 13: .* heartBeatEverySecs = "-1" is not allowed: .*; 1 is used/,
    /line 15: .* connectionIntervalSecs = "7200" is not allowed: .*; 3600 is used/,
    /line 16: .* connectionTimeoutSecs = "0" is not allowed: .*; 1 is used/,
    /line 19: .* mQueueServers = "nats:\/\/nats-server:4222\/dunebugger" is not allowed: .*; "nats:\/\/nats-server:4222" is used/,
    /line 29: .* ntpServers = "ntp1.inrim.it,ntp2.inrim.it," is not allowed: .*; "ntp1.inrim.it,ntp2.inrim.it" is used/,
    /line 30: .* ntpCheckIntervalSecs = "0" is not allowed: .*; 1 is used/,
    /line 31: .* ntpTimeout = "0" is not allowed: .*; 1 is used/,
    /LOCATION_DESCRIPTION = "Chiesa di San Nicola\\nBari" is not allowed: .*; "Chiesa di San Nicola Bari" is used/,
  ]),
  generation('pythons-own-ways', "with all of configparser's ways", [
    /line 28: section \[Museum\] is unknown and ignored/,
    /line 16: \[Log\] dunebuggerLogLevel = "VERBOSE" is not allowed: .*; INFO is used/,
    /line 24: \[NTP\] ntpCheckIntervalSecs = "often" is not allowed: .*; 30 is used/,
  ]),
];

/** The conf file's text, or that of the conf that the package puts there. */
export function confOf({ confFile }: Generation): string {
  return readFileSync(confFile ?? SHIPPED_CONF, 'utf8');
}

export function dotEnvOf({ dotEnvFile }: Generation): string {
  return readFileSync(dotEnvFile, 'utf8');
}
