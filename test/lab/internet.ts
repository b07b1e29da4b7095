/** What the child in the `net` namespace offers: the servers of the internet, scripted from the test. */
import type { CertificateKind } from '../support/certificates.js';
import type { SiteBehaviour, SiteCounts, SiteProtocol } from '../support/https-site.js';
import type { PlainBehaviour } from '../support/plain-site.js';
import type { ReceivedMessage } from '../support/group-client.js';
import type { LiveConnection, ServiceCounts } from '../support/web-pubsub-server.js';
import type { AddressType, NameServerBehaviour } from '../support/name-server.js';

/** How the internet is furnished. */
export interface InternetOptions {
  readonly ipv6: boolean;
  /** The weight of the certificates; `rsa-2048` is that of an ordinary site, for measurements. */
  readonly algorithm: 'ecdsa-p256' | 'rsa-2048';
}

export interface InternetCounts {
  readonly site: SiteCounts;
  readonly portal: SiteCounts;
  readonly dnsQueries: number;
}

export interface PortalBehaviour {
  /** The certificate of its own authority. */
  readonly certificate?: CertificateKind;
  /** What it thinks the time is, milliseconds since 1970. */
  readonly clockMs?: number;
  /** Port 80. Default: a redirect to its login. */
  readonly plain?: PlainBehaviour;
}

/** The cloud as seen from inside. */
export interface CloudView {
  readonly counts: ServiceCounts;
  readonly live: readonly LiveConnection[];
  /** The most connections of the device that were ever live at the same time. */
  readonly maxLiveOfDevice: number;
}

/** From then on a page shows the device so; wall clock, milliseconds since 1970. */
export interface Shown {
  readonly atMs: number;
  readonly online: boolean;
}

/** A device or browser and its group. */
export interface Membership {
  readonly group: string;
  readonly userId: string;
}

/**
 * `drop`: the sockets end without a word, the sessions stay. `going-away`: a close by the service, the sessions stay.
 * `forget`: a restart of the service, no session is known any more. `half-open`: nothing is read or written any more on
 * the connections that are open now.
 */
export type CloudFault = 'drop' | 'going-away' | 'forget' | 'half-open';

/** The calls. */
export interface InternetCalls {
  /** Starts every server; returns the root certificate to trust, PEM. */
  start(options: InternetOptions): Promise<{ readonly ca: string }>;
  /** How the site answers. */
  site(behaviour: SiteBehaviour): Promise<void>;
  /** What new connections of the site speak; of several the first that the Pi offers. HTTP/2 and HTTP/1.1 in a new lab. */
  siteSpeaks(protocols: readonly SiteProtocol[]): void;
  /** Its connections end, as those do that have been kept for long enough. */
  siteDrops(argument: undefined): void;
  certificate(kind: CertificateKind): void;
  /** What the portal does at port 443, where it is led there, and at port 80. */
  portal(behaviour: PortalBehaviour): void;
  /** How the name server answers, for all types or some. */
  dns(behaviour: { readonly behaviour: NameServerBehaviour; readonly types?: readonly AddressType[] }): void;
  /** The addresses of a name; none: it does not exist. */
  record(record: { readonly name: string; readonly addresses: readonly string[] }): void;
  /** The time server at the address of everything: whether it answers. It is silent in a new lab. */
  time(behaviour: { readonly silent: boolean }): void;
  counts(argument: undefined): InternetCounts;
  /** A URL to the cloud with a token. */
  clientAccessUrl(options: { readonly userId: string; readonly expiresInSecs?: number }): string;
  cloud(argument: undefined): CloudView;
  /** Resolves with the wall clock (milliseconds since 1970) when that user is in the group. */
  waitForMember(member: Membership & { readonly timeoutMs: number }): Promise<number>;
  /** Each new session draws how its recoveries go, of everything the service's specification allows. */
  recoverAtRandom(options: { readonly seed: number }): void;
  /** A browser joins. There is one at most; it is not behind the router, so no fault of the line hits it. */
  browserJoin(member: Membership): Promise<void>;
  /** The browser that has joined looks at the device as a page of the front end does, and asks what that asks. */
  browserLooks(argument: undefined): void;
  /** Each change of what it shows. */
  browserShown(argument: undefined): readonly Shown[];
  /** Resolves when the cloud has acknowledged it. */
  browserSend(message: { readonly data: unknown }): Promise<void>;
  /** How many messages the browser has received. */
  browserCount(argument: undefined): number;
  /** Resolves with how many messages of that subject (and body) the browser has from an index on, once there is one and `settleMs` later. */
  browserGot(what: {
    readonly subject: string;
    readonly body?: string;
    readonly since: number;
    readonly timeoutMs: number;
    readonly settleMs: number;
  }): Promise<number>;
  /** What the cloud itself does to the device's connections. */
  cloudFault(fault: CloudFault): void;
  /** What the browser has received, from an index on. */
  browserMessages(range: { readonly since: number }): readonly ReceivedMessage[];
  /** Everything answers again. */
  repair(argument: undefined): Promise<void>;
  [name: string]: (argument: never) => unknown;
}
