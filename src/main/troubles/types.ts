/** What a row of the table of troubles holds. Imports nothing but the worker's reasons. */
import type { OfflineReason } from '../../workers/protocol.js';

/** The cloud connection, once the internet is there. */
export type CloudTrouble =
  | 'cloud-interrupted'
  | 'cloud-lost'
  | 'cloud-failed'
  | 'cloud-throttled'
  | 'cloud-busy'
  | 'sign-in-unanswered'
  | 'sign-in-refused'
  | 'url-refused'
  | 'url-expired'
  | 'cloud-frame-dropped'
  | 'cloud-message-refused'
  | 'cloud-message-dropped'
  | 'cloud-right-missing';

/** The installation: the bus, the components, and what browsers send them. */
export type HouseTrouble =
  | 'bus-misconfigured'
  | 'bus-denied'
  | 'bus-away'
  | 'component-away'
  | 'command-dropped'
  | 'command-late'
  | 'update-failed'
  | 'second-remote'
  | 'group-flood'
  | 'group-malformed'
  | 'bus-malformed'
  | 'system-info-failed';

/** This program and its place: configuration, threads, systemd, the journal. */
export type OwnTrouble =
  | 'configuration-wrong'
  | 'uncaught-error'
  | 'system-refuses'
  | 'checks-failed'
  | 'not-healthy'
  | 'reload-refused'
  | 'reload-incomplete'
  | 'setting-unknown'
  | 'setting-replaced'
  | 'setting-doubtful'
  | 'ca-file-unusable'
  | 'tls-check-kept'
  | 'no-ip-command'
  | 'ip-monitor-ended'
  | 'notify-failed'
  | 'url-not-kept'
  | 'control-socket-failed'
  | 'verdict-not-written'
  | 'status-page-failed'
  | 'history-not-written'
  | 'listener-blocks'
  | 'log-lost'
  | 'stop-late'
  | 'bug'
  | 'clock-far-off'
  | 'clock-untrusted'
  | 'clock-set';

/** What only a command finds, as the service itself cannot tell it. */
export type AskedTrouble =
  | 'service-not-allowed'
  | 'service-stopped'
  | 'service-misconfigured'
  | 'service-failed'
  | 'service-starting'
  | 'service-suspended'
  | 'service-silent'
  | 'service-unasked'
  | 'service-absent';

/** The line lets some through and some not. */
export type LineTrouble = 'large-packets-lost';

/** What only `doctor` looks for: near the line's near end, and remarks. */
export type LookedTrouble = NearTrouble | RemarkedTrouble;

/** What can explain that there is no internet. */
export type NearTrouble = 'power-weak' | 'wifi-weak' | 'router-silent' | 'line-lossy';

export type RemarkedTrouble =
  | 'conf-hidden'
  | 'secrets-exposed'
  | 'unit-disabled'
  | 'unit-restarts'
  | 'unit-outdated'
  | 'family-broken'
  | 'name-server-missing'
  | 'name-server-slow'
  | 'mtu-small'
  | 'line-slow'
  | 'too-hot'
  | 'memory-short'
  | 'disk-full'
  | 'disk-read-only';

/** Stable: programs may rely on them. The reasons of an offline verdict keep their names. */
export type TroubleCode =
  | 'wrong-uplink'
  | OfflineReason
  | 'no-internet'
  | 'test-site-down'
  | AskedTrouble
  | LookedTrouble
  | LineTrouble
  | CloudTrouble
  | HouseTrouble
  | OwnTrouble;

export interface Trouble {
  /** As in the journal: `error` needs somebody, `warn` is temporary or harms little. The milder one where a trouble can be both. */
  readonly severity: 'warn' | 'error';
  /** A few words without a full stop that fit into a sentence, such as `name server silent`. */
  readonly title: string;
  /** What it means, lower case, without a full stop. */
  readonly meaning: string;
  /** What an operator can do, one sentence without a full stop. Commands, files and settings in backticks: {@link plain} takes them out. */
  readonly remedy: string;
  /**
   * What nobody needs to look at while this is there: no link makes a silent name server uninteresting. Only the nearest
   * ones; what these make irrelevant follows from them.
   */
  readonly makesIrrelevant: readonly TroubleCode[];
  /**
   * How long it lasts at least before it is told, milliseconds, at the default settings; 0: at once. Where a part of the
   * program keeps the time, the tests compare the two.
   */
  readonly tellAfterMs: number;
  /** The lines of the journal that tell it, `…` for what differs. Empty where the line is made of title and remedy: the reasons, and what a command finds. */
  readonly lines: readonly string[];
}

/** Without the backticks, for the journal and a terminal. */
export function plain(text: string): string {
  return text.replaceAll('`', '');
}
