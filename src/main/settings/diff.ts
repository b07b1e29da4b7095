import { printable } from '../log/redact.js';
import { nameOf, ROWS, TABLE, type SettingName, type Settings, type Spec } from './table.js';

/** One setting that differs. */
export interface SettingChange {
  readonly key: SettingName;
  /** As the operator knows it, such as `[Websocket] testDomain` or `WS_GROUP_NAME`. */
  readonly name: string;
  /** Fit to print, such as `[Websocket] connectionIntervalSecs: 7 -> 10`; a secret's values do not appear. */
  readonly text: string;
}

export interface SettingsDiff {
  /** Taken over by a running daemon. */
  readonly live: readonly SettingChange[];
  /** Needs a restart. */
  readonly restart: readonly SettingChange[];
}

/** What a reload changes. */
export function diffSettings(before: Settings, after: Settings): SettingsDiff {
  const live: SettingChange[] = [];
  const restart: SettingChange[] = [];
  for (const [key, spec] of ROWS) {
    if (JSON.stringify(before[key]) === JSON.stringify(after[key])) continue;
    const name = nameOf(key);
    const change = { key, name, text: `${name}: ${shown(spec, before[key])} -> ${shown(spec, after[key])}` };
    (spec.live ? live : restart).push(change);
  }
  return { live, restart };
}

/** The settings a daemon runs with after a reload: the new value of what can change live, the old one of everything else. */
export function takeOverLive(before: Settings, after: Settings): Settings {
  const taken = ROWS.map(([key]) => [key, TABLE[key].live ? after[key] : before[key]] as const);
  return Object.freeze(Object.fromEntries(taken)) as Settings;
}

/** As one writes them in the conf file. */
const BOOLEAN = { true: 'True', false: 'False' } as const;

/** A value, fit to print: a secret's does not appear, nor what looks like one in a longer text. */
export function shown(spec: Spec<unknown>, value: unknown): string {
  const text = Array.isArray(value)
    ? value.join(',')
    : typeof value === 'boolean'
      ? BOOLEAN[`${value}`]
      : String(value);
  return text === '' ? '(not set)' : spec.secret ? '(secret)' : printable(text, 200);
}
