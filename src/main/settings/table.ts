/**
 * Every setting there is: where it is written, what it may be, what it is without being set, what it is for.
 * The `Settings` type, the environment's names, the checks, the shipped conf's test and a reload all follow from this table.
 */
import {
  absolutePath,
  anything,
  autoOrYesNo,
  hostList,
  decimal,
  line,
  nameServerList,
  logLevel,
  natsServerList,
  oneOf,
  optionalPath,
  optionalSite,
  siteList,
  socketPath,
  subjectToken,
  urlOf,
  whole,
  yesNo,
  type ValueType,
} from './values.js';
import { proxyExceptions, proxyUrl } from './proxy.js';

/** One setting. */
export interface Spec<T> {
  /** Section of the conf file; undefined: only from the environment, `.env` or a credential. */
  readonly section?: string;
  /** Name in the environment. */
  readonly envName: string;
  readonly type: ValueType<T>;
  readonly default: T;
  /** A running daemon takes a change over on SIGHUP; otherwise a restart is needed. */
  readonly live: boolean;
  /** Never printed; may also come from `$CREDENTIALS_DIRECTORY`. */
  readonly secret: boolean;
  /** What it is for, one sentence. */
  readonly what: string;
}

const LIVE = true;
const RESTART = false;

/**
 * The environment's name of a key: `DUNEBUGGER_<SECTION>_<KEY>`, both from camelCase to UPPER_SNAKE.
 * `[MessageQueue] mQueueClientID` is `DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_CLIENT_ID`.
 */
export function envNameOf(section: string, key: string): string {
  return `DUNEBUGGER_${upperSnake(section)}_${upperSnake(key)}`;
}

function upperSnake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toUpperCase();
}

function inSection(section: string) {
  return <K extends string, T>(key: K, type: ValueType<T>, fallback: T, live: boolean, what: string) =>
    ({ [key]: { section, envName: envNameOf(section, key), type, default: fallback, live, secret: false, what } }) as {
      readonly [P in K]: Spec<T>;
    };
}

function fromEnvironment(envName: string, type: ValueType<string>, what: string): Spec<string> {
  return { envName, type, default: '', live: RESTART, secret: false, what };
}

function secret(envName: string, type: ValueType<string>, what: string): Spec<string> {
  return { envName, type, default: '', live: RESTART, secret: true, what };
}

const general = inSection('General');
const auth = inSection('Auth');
const websocket = inSection('Websocket');
const network = inSection('Network');
const messageQueue = inSection('MessageQueue');
const log = inSection('Log');
const ntp = inSection('NTP');
const updater = inSection('Updater');
const status = inSection('Status');

export const TABLE = Object.freeze({
  ...general('general_setting', line, '', LIVE, 'Has no effect; kept for the conf files that have it.'),

  ...auth('authURL', optionalSite, '', RESTART, 'Auth0 host that signs this device in; empty: not used.'),
  ...auth(
    'keepAccessUrl',
    yesNo,
    true,
    RESTART,
    'Keep the client access URL in the state directory, so that a start needs no sign-in while it is valid.',
  ),

  ...websocket('websocketEnabled', yesNo, true, RESTART, 'False starts neither the monitor nor the connection.'),
  ...websocket('broadcastInitialState', yesNo, true, LIVE, 'False mutes everything this device says to the group.'),
  ...websocket(
    'heartBeatLoopDurationSecs',
    decimal(1, 86_400, 'seconds'),
    300,
    LIVE,
    'How long heartbeats go on after the last browser asked.',
  ),
  ...websocket(
    'heartBeatEverySecs',
    decimal(1, 3_600, 'seconds'),
    60,
    LIVE,
    'Time between two heartbeats; browsers show the device offline after 65 s without one.',
  ),
  ...websocket(
    'testDomain',
    siteList,
    'smart.dunebugger.it',
    LIVE,
    'HTTPS site whose answer proves the internet; several: the others are asked where the first fails.',
  ),
  ...websocket(
    'connectionIntervalSecs',
    decimal(1, 3_600, 'seconds'),
    7,
    LIVE,
    'Time between two checks of the internet.',
  ),
  ...websocket(
    'connectionTimeoutSecs',
    decimal(0.1, 60, 'seconds'),
    2,
    LIVE,
    'Deadline of each phase of a check: name look-up; connect, TLS and answer.',
  ),
  ...websocket('failuresToOffline', whole(1, 10, 'checks'), 2, LIVE, 'Failed checks in a row that make offline.'),
  ...websocket('successesToOnline', whole(1, 10, 'checks'), 1, LIVE, 'Successful checks in a row that make online.'),
  ...websocket(
    'nameServers',
    nameServerList,
    Object.freeze<readonly string[]>([]),
    LIVE,
    "Name servers asked by the checks; empty: the system's.",
  ),
  ...websocket(
    'stabilizationSecs',
    decimal(0, 300, 'seconds'),
    3,
    LIVE,
    'Wait after the internet is back, before connecting.',
  ),
  ...websocket(
    'returnSpreadSecs',
    decimal(0, 3_600, 'seconds'),
    60,
    LIVE,
    'Most that a return is put off at random, so that not all devices of a region come at once; 0: not at all.',
  ),
  ...websocket(
    'backoffBaseSecs',
    decimal(0.1, 3_600, 'seconds'),
    15,
    LIVE,
    'Most delay after the first failed connection; doubles with each failure.',
  ),
  ...websocket('backoffCapSecs', decimal(0.1, 86_400, 'seconds'), 300, LIVE, 'Longest delay between two attempts.'),
  ...websocket(
    'stableAfterSecs',
    decimal(0, 86_400, 'seconds'),
    60,
    LIVE,
    'How long a connection must live before the delays begin anew.',
  ),
  ...websocket(
    'halfOpenTimeoutSecs',
    decimal(1, 600, 'seconds'),
    15,
    RESTART,
    'Silence after which a connection counts as dead.',
  ),
  ...websocket(
    'sendTimeoutSecs',
    decimal(0.1, 300, 'seconds'),
    10,
    RESTART,
    'Deadline of one message to the group, acknowledgement included.',
  ),
  ...websocket(
    'rateLimitPerSec',
    decimal(0.1, 100_000, 'messages per second'),
    50,
    LIVE,
    'Messages a second taken from the group on average.',
  ),
  ...websocket(
    'staleCommandSecs',
    decimal(-1, 86_400, 'seconds'),
    30,
    LIVE,
    'Commands replayed after a longer drop are not forwarded; 0: none ever is; negative: all are.',
  ),
  ...websocket('rateLimitBurst', whole(1, 100_000, 'messages'), 200, LIVE, 'Messages taken from the group at once.'),
  ...websocket(
    'maxMessageBytes',
    whole(1_024, 1_000_000, 'bytes'),
    983_040,
    LIVE,
    'Largest message taken from the group, such as an upload; NATS takes 1 MiB by default.',
  ),

  ...network(
    'caFile',
    absolutePath,
    '',
    RESTART,
    'PEM file of certificates that are trusted beside those of the system.',
  ),

  httpsProxy: {
    section: 'Network',
    envName: envNameOf('Network', 'httpsProxy'),
    type: proxyUrl,
    default: '',
    live: RESTART,
    // It may hold a password.
    secret: true,
    what: 'Proxy for all connections to the internet (checks, sign-in, cloud); HTTPS_PROXY of the environment serves as well; off: none.',
  } satisfies Spec<string>,
  ...network(
    'noProxy',
    proxyExceptions,
    Object.freeze<readonly string[]>([]),
    RESTART,
    'Hosts and networks that are reached without the proxy, as in NO_PROXY; this machine always is.',
  ),
  ...network(
    'dataSaver',
    autoOrYesNo,
    'auto',
    LIVE,
    'True: as few bytes as can be, for lines that are paid by the byte; auto: where NetworkManager calls the line metered.',
  ),

  ...messageQueue('mQueueEnabled', yesNo, true, RESTART, 'False leaves the local bus alone.'),
  ...messageQueue(
    'mQueueServers',
    natsServerList,
    Object.freeze<readonly string[]>(['nats://nats-server:4222']),
    RESTART,
    'NATS servers of the local bus.',
  ),
  ...messageQueue('mQueueClientID', subjectToken, 'remote', RESTART, "This component's name on the bus."),
  ...messageQueue('mQueueSubjectRoot', subjectToken, 'dunebugger', RESTART, 'First part of every subject on the bus.'),

  ...log('dunebuggerLogLevel', logLevel, 'INFO', LIVE, 'The least important lines that are logged.'),
  ...log(
    'logFormat',
    oneOf('auto', 'journal', 'terminal', 'json'),
    'auto',
    RESTART,
    'auto: journal lines under systemd, otherwise readable ones.',
  ),

  ...ntp(
    'ntpServers',
    hostList,
    Object.freeze<readonly string[]>([
      'ntp1.inrim.it',
      'ntp2.inrim.it',
      '0.europe.pool.ntp.org',
      '1.europe.pool.ntp.org',
    ]),
    RESTART,
    'NTP servers asked where the kernel does not call its clock synchronised.',
  ),
  ...ntp('ntpCheckIntervalSecs', decimal(1, 86_400, 'seconds'), 30, RESTART, 'Time between two looks at the clock.'),
  ...ntp('ntpTimeout', decimal(0.1, 60, 'seconds'), 5, RESTART, 'Deadline of each NTP server.'),

  ...updater(
    'updateCoordinatorPath',
    optionalPath,
    '/var/dunebugger/updates',
    RESTART,
    "Folder of the host's update coordinator; empty: updates of core and scheduler are not handed over.",
  ),

  ...updater(
    'coreInstallPath',
    line,
    '/opt/dunebugger/core',
    RESTART,
    "Core's folder: its file VERSION tells the version of a core that does not tell it in a heartbeat; empty: it is not read.",
  ),
  ...updater(
    'dockerComposePath',
    line,
    '/opt/dunebugger/docker-compose.yml',
    RESTART,
    'The compose file: its image tag tells the version of a scheduler that does not tell it in a heartbeat; empty: it is not read.',
  ),

  ...status('keepHistory', yesNo, true, RESTART, 'Outages are kept over restarts, at most 1 MB on the card.'),
  ...status(
    'controlSocket',
    socketPath,
    'auto',
    RESTART,
    "Where `dunebugger-remote status` asks this service: systemd's socket, else one in its runtime directory; or a path, or off.",
  ),
  ...status(
    'statusPage',
    yesNo,
    false,
    RESTART,
    'How it is, as a page for browsers and as metrics; it can change nothing.',
  ),
  ...status('statusPort', whole(1_024, 65_535, 'a port'), 8_088, RESTART, 'Its TCP port.'),
  ...status(
    'statusListen',
    oneOf('loopback', 'lan'),
    'loopback',
    RESTART,
    'Who may open it: programs of this machine, or everybody in its own networks.',
  ),

  auth0ClientId: secret('AUTH0_CLIENT_ID', anything, 'Client id of the Auth0 application.'),
  auth0ClientSecret: secret('AUTH0_CLIENT_SECRET', anything, 'Its secret.'),
  auth0Username: secret('AUTH0_USERNAME', anything, "The device's Auth0 user."),
  auth0Password: secret('AUTH0_PASSWORD', anything, "That user's password."),
  clientUrl: secret('WEBPUBSUB_CLIENT_URL', urlOf('wss', 'ws'), 'A fixed client access URL, instead of signing in.'),
  negotiateUrl: fromEnvironment(
    'WEBPUBSUB_NEGOTIATE_URL',
    urlOf('https', 'http'),
    'Endpoint that answers with {url}, instead of signing in.',
  ),
  wsGroupName: fromEnvironment('WS_GROUP_NAME', line, 'The Web PubSub group of this installation.'),
  deviceId: fromEnvironment('DEVICE_ID', line, 'device_id of system_info.'),
  locationDescription: fromEnvironment('LOCATION_DESCRIPTION', line, 'location.description of system_info.'),
});

type Table = typeof TABLE;

/** A setting's name in {@link Settings}: the conf file's own key where there is one. */
export type SettingName = keyof Table;

/** All settings, validated and frozen. Text that is not set is `''`. Durations in seconds. */
export type Settings = { readonly [K in SettingName]: Table[K] extends Spec<infer T> ? T : never };

/** The table's rows, in its order. */
export const ROWS: readonly (readonly [SettingName, Spec<unknown>])[] = Object.freeze(
  (Object.keys(TABLE) as SettingName[]).map((key) => [key, TABLE[key]] as const),
);

/** Keys of the Python version that no longer do anything: any value is taken, and named once at info. */
export const OBSOLETE: readonly { readonly section: string; readonly key: string }[] = Object.freeze([
  { section: 'Websocket', key: 'stateCheckIntervalSecs' },
  { section: 'Websocket', key: 'cyclePlayingResolutionSecs' },
  { section: 'MessageQueue', key: 'mQueueStateCheckIntervalSecs' },
  { section: 'MessageQueue', key: 'mQueueCyclePlayingResolutionSecs' },
  // Updates are apt's here.
  { section: 'Updater', key: 'githubAccount' },
  { section: 'Updater', key: 'includePrerelease' },
  { section: 'Updater', key: 'updateCheckIntervalHours' },
  { section: 'Updater', key: 'backupPath' },
]);

/** How a setting is called where an operator writes it. */
export function nameOf(key: SettingName): string {
  const spec: Spec<unknown> = TABLE[key];
  return spec.section === undefined ? spec.envName : `[${spec.section}] ${key}`;
}
