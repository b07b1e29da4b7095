/**
 * What is used instead of a value that the Python version took and that cannot be used as it is, so that an old conf starts. Pure.
 *
 * It read numbers by `int()`, of any size, and took any text as it was. What it could not start with is an error here, too; so is a text that
 * could never work, such as a host name with a path.
 */
import { TABLE, type SettingName } from './table.js';
import { hostList, natsServerList, numberIn, type NumberType, type ValueType } from './values.js';

type Value = string | number | readonly string[];
type Instead = (text: string) => Value | undefined;

/** Undefined: the value is an error. `text` is one that the setting's own type refuses. */
export function usedInstead(key: SettingName, text: string): Value | undefined {
  return INSTEAD[key]?.(text);
}

const INSTEAD: Readonly<Partial<Record<SettingName, Instead>>> = {
  general_setting: oneLine,
  deviceId: oneLine,
  locationDescription: oneLine,
  coreInstallPath: oneLine,
  dockerComposePath: oneLine,
  heartBeatLoopDurationSecs: nearest('heartBeatLoopDurationSecs'),
  heartBeatEverySecs: nearest('heartBeatEverySecs'),
  connectionIntervalSecs: nearest('connectionIntervalSecs'),
  connectionTimeoutSecs: nearest('connectionTimeoutSecs'),
  mQueueServers: serversAsPythonReadThem,
  // The daemon does its work without these: whatever stands there is no reason not to start.
  dunebuggerLogLevel: () => TABLE.dunebuggerLogLevel.default,
  ntpServers: (text) => usableHosts(text) ?? TABLE.ntpServers.default,
  ntpCheckIntervalSecs: (text) => nearest('ntpCheckIntervalSecs')(text) ?? TABLE.ntpCheckIntervalSecs.default,
  ntpTimeout: (text) => nearest('ntpTimeout')(text) ?? TABLE.ntpTimeout.default,
};

/**
 * The nearest whole number that is allowed. Whole, since Python had no others: whoever wrote a time-out of 0 is not helped by one of a tenth
 * of a second.
 */
function nearest(key: SettingName): (text: string) => number | undefined {
  return (text) => {
    const type: ValueType<unknown> = TABLE[key].type;
    const number = numberIn(text);
    if (number === undefined || !isNumberType(type)) return undefined;
    return Math.min(Math.max(number, Math.ceil(type.min)), Math.floor(type.max));
  };
}

function isNumberType(type: ValueType<unknown>): type is NumberType {
  return 'min' in type && 'max' in type;
}

/** Without what breaks a line, and no longer than one may be. */
function oneLine(text: string): string {
  return text
    .slice(0, 1_024)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .trim();
}

/** It asked one after the other, and went past what was no host. */
function usableHosts(text: string): readonly string[] | undefined {
  const hosts = text.split(',').filter((item) => hostList.parse(item)?.length === 1);
  return hosts.length === 0 ? undefined : hostList.parse(hosts.slice(0, 8).join(','));
}

/** nats-py overlooked what follows the port, and took a login without a scheme. */
function serversAsPythonReadThem(text: string): readonly string[] | undefined {
  const servers = text.split(',').map((item) => {
    const [, scheme = 'nats://', login = '', address = ''] =
      /^\s*((?:nats|tls):\/\/)?([^\s@/,]+@)?([^\s@/?#]+)(?:[/?#]\S*)?\s*$/i.exec(item) ?? [];
    return `${scheme}${login}${address}`;
  });
  return natsServerList.parse(servers.join(','));
}
