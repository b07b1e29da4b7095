/**
 * Every message between the main thread and the worker thread of the checks.
 *
 * The port is handed over when the task starts. Main -> worker is {@link ToWorker}, worker -> main is {@link FromWorker}.
 * All messages are plain structured-clone data. This file imports nothing, so that both sides can depend on it.
 */

/** Raised whenever a message changes its shape; the worker refuses to run for a main thread of another version. */
export const PROTOCOL_VERSION = 9;

/** What the checks have found so far: `unknown` until the first verdict. */
export type Verdict = 'unknown' | 'online' | 'offline';

/** Why a check failed, in the order of the layers. */
export type OfflineReason =
  /** No network interface is up and has a carrier. */
  | 'no-link'
  /** There is a link, but no address or no default route. */
  | 'no-route'
  /** No name server answered within the deadline. */
  | 'dns-timeout'
  /** A name server answered, but not with an address that leads to a site (NXDOMAIN, SERVFAIL, REFUSED, 0.0.0.0), or none is there to be asked. */
  | 'dns-failed'
  /** The proxy that connections are to go by is not there, or opens no way. */
  | 'proxy'
  /** The site's address does not answer at all. */
  | 'tcp-timeout'
  /** The site's address refuses the connection. */
  | 'tcp-refused'
  /** Somebody else answers for the site, by his own certificate or over plain HTTP: a captive portal, a hijacked name, an intercepting proxy. */
  | 'portal'
  /** A certificate that nobody vouches for, and this system has no store of certificates. */
  | 'no-ca-store'
  /** The certificate is not valid at this machine's time, and the machine's clock is the likelier culprit. */
  | 'clock'
  /** The TLS handshake failed in another way, or did not end. */
  | 'tls-failed'
  /** The connection stands, but no HTTP answer came. */
  | 'http-timeout';

/** Why a check was begun; `doubted`: the live connection, which is the proof otherwise, did not answer. */
export type CheckTrigger = 'start' | 'interval' | 'confirming' | 'asked' | 'link' | 'doubted';

/** Why a look-up of a name failed, or what is suspect about its answer: the rows of `net/name-answers.ts`. */
export type NameTrouble =
  | 'silent'
  | 'server-away'
  | 'resolved-away'
  | 'own-server-away'
  | 'resolv-conf-missing'
  | 'resolv-conf-empty'
  | 'resolv-conf-endless'
  | 'resolv-conf-unreadable'
  | 'cannot-find-out'
  | 'refuses-us'
  | 'no-such-name'
  | 'no-address'
  | 'does-not-understand'
  | 'makes-no-sense'
  | 'bad-name'
  | 'impossible-address'
  | 'private-address'
  | 'not-in-the-house'
  | 'fails-otherwise';

/** Why a proxy opens no way: the rows of `net/proxy-answers.ts`. */
export type ProxyTrouble =
  | 'refuses-connections'
  | 'unreachable'
  | 'bad-certificate'
  | 'no-tls'
  | 'silent'
  | 'closes'
  | 'no-proxy'
  | 'wants-login'
  | 'refuses-login'
  | 'wants-other-login'
  | 'forbids'
  | 'has-no-way'
  | 'answers-oddly';

/** How one step ended. `error` is the system's own code (`ENOTFOUND`, `ECONNREFUSED`, `ETIMEDOUT`, ...). */
export interface DnsEvidence {
  readonly phase: 'dns';
  readonly ok: boolean;
  /** Set if it is not the site that was looked up, but the proxy: its name or address. */
  readonly proxy?: string;
  readonly ms: number;
  /** What was found, IPv6 and IPv4 in the order in which they are tried. */
  readonly addresses: readonly string[];
  /** The name servers asked; empty when none was needed (an IP literal, `localhost`, /etc/hosts). */
  readonly servers: readonly string[];
  readonly error?: string;
  /** Set when not ok, and where the addresses found are suspect. */
  readonly trouble?: NameTrouble;
}

/** One try to get an HTTP answer, over a kept or a fresh connection. */
export interface HttpsEvidence {
  readonly phase: 'https';
  readonly ok: boolean;
  readonly ms: number;
  /** Where the addresses came from: this check's look-up, or the last address that worked. */
  readonly addressesFrom: 'dns' | 'last-good';
  /** The address that answered, or the last one tried; the proxy's, if there is one. */
  readonly address?: string;
  /** True if the connection of an earlier check served. */
  readonly reused: boolean;
  /** True if the TLS session of an earlier check was resumed. */
  readonly resumed?: boolean;
  /** Milliseconds of each step that was completed. */
  readonly tcpMs?: number;
  /** Until the proxy had opened the way. */
  readonly proxyMs?: number;
  readonly tlsMs?: number;
  readonly httpMs?: number;
  /** HTTP status of the answer. */
  readonly status?: number;
  /** This machine's clock minus the site's when the answer came, milliseconds, exact to a second; undefined if the answer has no `Date`. */
  readonly clockAheadMs?: number;
  /** The step that failed. */
  readonly failedAt?: 'tcp' | 'proxy' | 'tls' | 'http';
  readonly error?: string;
  /** Set where the reason is the proxy: what is wrong with it. */
  readonly proxy?: ProxyTrouble;
  /** Plain words to the error where the code alone does not say it, such as whose certificate was shown. */
  readonly detail?: string;
  /** What this failure means. Set when not ok, unless this machine refused a call: that means nothing. */
  readonly reason?: OfflineReason;
}

/** An interface that could lead out. */
export interface Uplink {
  readonly name: string;
  /** `carries`: packets leave by it. `stands-by`: it has an address and a default route, and another is preferred. `dead`: neither. */
  readonly role: 'carries' | 'stands-by' | 'dead';
  /** Why it is dead, such as `wlan0 has no carrier`. */
  readonly detail?: string;
  /** Set if it was tried while what carries had no internet: whether a host of ours showed its certificate over it. */
  readonly hasInternet?: boolean;
}

/** What the kernel says of links, addresses and routes, before a packet is sent. */
export interface LinkEvidence {
  readonly phase: 'link';
  readonly ok: boolean;
  /** Set when not ok. */
  readonly reason?: 'no-link' | 'no-route';
  /** Plain words, such as `wlan0 has no carrier`. */
  readonly detail?: string;
  /** Unset where there is one at the most. */
  readonly uplinks?: readonly Uplink[];
}

/** What answers over plain HTTP where the site was asked for, once HTTPS has failed. */
export interface PortalEvidence {
  readonly phase: 'portal';
  /** The address that was asked. */
  readonly address: string;
  readonly ms: number;
  /** `portal`: a captive portal by its own word. `page`: a page where the site would hardly have one. `nothing`: no sign of a portal. */
  readonly sign: 'portal' | 'page' | 'nothing';
  /** HTTP status of the answer; unset if there was none. */
  readonly status?: number;
  /** Where to log in: scheme, host and path in printable ASCII, 120 characters at most, as the network said it. */
  readonly login?: string;
  readonly error?: string;
}

/** What gets through on the way out, once an attempt to connect or a connection has failed although the internet is there. */
export interface PacketEvidence {
  readonly phase: 'packets';
  /** False: large packets are lost, and small ones are not. */
  readonly ok: boolean;
  /** Of the site, to which the packets were sent. */
  readonly address: string;
  /** The interface that they left by; unset if it is not known. */
  readonly device?: string;
  /** The largest packet that was answered, bytes of the IP packet; 0: only a small one was. */
  readonly passes: number;
  /** The smallest that never was. Set when not ok; those between were not tried. */
  readonly lost?: number;
}

/** A verified TLS handshake with another host than the test site's, made because the site failed. */
export interface WitnessEvidence {
  readonly phase: 'witness';
  /** `host` or `host:port`. */
  readonly host: string;
  readonly ok: boolean;
  readonly ms: number;
  /** The step that failed, and the system's own code. */
  readonly failedAt?: 'dns' | 'tcp' | 'proxy' | 'tls';
  readonly error?: string;
}

/** What became of the question to the live connection; `none`: no connection lives. */
export type LiveAnswer = 'answered' | 'silent' | 'none';

/** Everything one check saw. */
export interface CheckEvidence {
  /** Rises by one with each check of a worker. */
  readonly checkId: number;
  readonly trigger: CheckTrigger;
  /** Wall clock, milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly ms: number;
  /** The internet is there, by the site's answer or by another proof. */
  readonly ok: boolean;
  /** Set when not ok, unless `refused` is. */
  readonly reason?: OfflineReason;
  /** Set when ok although the site failed: how it failed. */
  readonly siteReason?: OfflineReason;
  /**
   * The code (such as `EMFILE`) of a call that this machine refused and without which the check says nothing about the internet:
   * neither a success nor a failure.
   */
  readonly refused?: string;
  readonly link?: LinkEvidence;
  readonly dns?: DnsEvidence;
  readonly https: readonly HttpsEvidence[];
  /** Set once a check has failed although there is a link. */
  readonly portal?: PortalEvidence;
  /** Set once it has been looked whether large packets get through on the way out. */
  readonly packets?: PacketEvidence;
  /** Set if the live connection was asked. */
  readonly live?: LiveAnswer;
  /** Set if witnesses were asked; those that were no longer needed are left out. */
  readonly witnesses?: readonly WitnessEvidence[];
}

/** Bytes over TCP, TLS included, the headers of the packets not. */
export interface Carried {
  readonly received: number;
  readonly sent: number;
}

/** A verdict with its history. */
export interface VerdictState {
  readonly verdict: Verdict;
  /** Set when offline. */
  readonly reason?: OfflineReason;
  /** Wall clock of the change to this verdict, milliseconds since 1970. */
  readonly sinceMs: number;
}

/** A host that answers TLS. */
export interface HostAndPort {
  /** Host name, or IP literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A proxy by which connections leave (RFC 9110, 9.3.6). */
export interface Proxy extends HostAndPort {
  /** TLS to the proxy itself. */
  readonly secure: boolean;
  /** Value of `Proxy-Authorization`: a secret. */
  readonly authorization?: string;
}

/** The proxy, and for whom there is none. */
export interface ProxySettings extends Proxy {
  /** As NO_PROXY writes them; this machine itself is never asked for over a proxy. */
  readonly except: readonly string[];
}

/** How often what is done on a line that is paid by the byte, milliseconds. */
export interface SaverPace {
  /** From one question to the live connection to the next. */
  readonly lookEveryMs: number;
  /** The test site is asked all the same. */
  readonly checkEveryMs: number;
  /** The same where no connection lives. */
  readonly checkAloneEveryMs: number;
}

/** What the worker is to check, and how. Everything has been validated by the main thread. */
export interface WorkerSettings {
  /** Host name, IP literal (IPv6 in brackets if a port follows) or `localhost`, without the port. */
  readonly host: string;
  /** TCP port of the site. Default of the monitor: 443. */
  readonly port: number;
  /** Whose verified TLS handshake proves the internet where the site fails, in the order in which they are asked. */
  readonly witnesses: readonly HostAndPort[];
  /** Time from the start of one check to the start of the next while online, milliseconds. */
  readonly intervalMs: number;
  /** The same while offline, milliseconds: 2,000 or the interval, whichever is shorter. */
  readonly offlineIntervalMs: number;
  /** Deadline of each phase (DNS; connect, TLS and headers), milliseconds. */
  readonly timeoutMs: number;
  /** Checks in a row that must fail before the verdict is offline. */
  readonly failuresToOffline: number;
  /** Checks in a row that must succeed before the verdict is online. */
  readonly successesToOnline: number;
  /** Time between the starts of a failed check and of the one that confirms it, milliseconds, at least. */
  readonly confirmAfterMs: number;
  /** Name servers (`address` or `address:port`) to ask instead of the system's; empty: the system's, read at each check. */
  readonly nameServers: readonly string[];
  /** Undefined: everything goes straight to its address. */
  readonly proxy?: ProxySettings;
  /** PEM certificates to trust instead of Node's bundled ones; undefined: Node's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string;
  /** False: this system has no store of certificates. Default true. */
  readonly hasCaStore?: boolean;
  /** Set: a live connection that answers is the proof, and the site is asked where it does not and now and then: `saver.ts`. */
  readonly dataSaver?: SaverPace;
  /** Wait for what answers over plain HTTP within the check that failed, for whoever looks only once. Default: the next check tells. */
  readonly waitForPortal?: boolean;
  /** Follow link, address and route changes of the kernel. */
  readonly followLinks: boolean;
  /** Tell each check by a message, at once, as somebody reads a line on each. Default false: `quiet-checks.ts`. */
  readonly tellsEach?: boolean;
}

/** What the task is started with; the port is in the transfer list. */
export interface WorkerTask<Port = unknown> {
  readonly version: number;
  readonly port: Port;
  readonly settings: WorkerSettings;
  /** The verdict so far, so that a replaced worker goes on from it. */
  readonly verdict: VerdictState;
  /** Where checks are told of which there is nothing to tell but their times: `quiet-checks.ts`. */
  readonly quiet: SharedArrayBuffer;
}

/** Main -> worker. */
export type ToWorker =
  /**
   * Check now. Answered by the `checked` whose `answers` holds the id, of a check begun after this message. `fresh`: an attempt to connect has
   * failed, so a connection of before proves only itself, and the evidence has to come from a new one.
   */
  | { readonly kind: 'check-now'; readonly id: number; readonly fresh: boolean }
  /** New settings, from the next check on. The verdict stays. */
  | { readonly kind: 'configure'; readonly settings: WorkerSettings }
  /** What became of the `ask-live` with this id. */
  | { readonly kind: 'live'; readonly id: number; readonly answer: LiveAnswer }
  /** The `ip monitor` of that `start-monitor` has said something. */
  | { readonly kind: 'monitor-sign'; readonly id: number }
  /** It has ended, or could not be started; `code`: the system's word why not. */
  | { readonly kind: 'monitor-ended'; readonly id: number; readonly why: string; readonly code?: string }
  /** End: the running check is abandoned, every handle closed, the task resolves. */
  | { readonly kind: 'stop' };

/** Worker -> main. */
export type FromWorker =
  /** The task has begun. That the worker is alive later on is seen by its event loop (`worker-host.ts`). */
  | { readonly kind: 'begun' }
  /** A check has ended. `answers` are the ids of the check-now messages it answers; `carried`: by all checks since the worker began. */
  | {
      readonly kind: 'checked';
      readonly evidence: CheckEvidence;
      readonly state: VerdictState;
      readonly answers: readonly number[];
      readonly carried: Carried;
      /** When the next look is due, milliseconds from the start of this one; a confirming one comes sooner. */
      readonly lookAgainMs: number;
    }
  /** Bytes are saved: the live connection was asked, and a check may follow. */
  | { readonly kind: 'looked' }
  /** The verdict changed; follows the `checked` that changed it. */
  | { readonly kind: 'changed'; readonly state: VerdictState; readonly evidence: CheckEvidence }
  /** The site fails, or is not to be asked: does the live connection answer? Wanted within `withinMs`. */
  | { readonly kind: 'ask-live'; readonly id: number; readonly withinMs: number }
  /** By the kernel's tables packets leave by another way than before, or by one again: what is open may have been left behind. */
  | { readonly kind: 'way-out-changed' }
  /** Start `ip monitor` on the worker's behalf, in place of one before; `guarded`: by `setpriv`. */
  | { readonly kind: 'start-monitor'; readonly id: number; readonly guarded: boolean }
  | { readonly kind: 'end-monitor' }
  /** Something an operator should read, in plain words. */
  | {
      readonly kind: 'note';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields?: Readonly<Record<string, string | number | boolean>>;
    };
