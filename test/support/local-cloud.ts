import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CertificateAuthority, type CertificateAuthorityOptions } from './certificates.js';
import { GroupClient } from './group-client.js';
import { HttpsSite } from './https-site.js';
import { NameServer } from './name-server.js';
import { TcpGate } from './tcp-gate.js';
import { WebPubSubServer, type ClientAccessOptions, type WebPubSubServerOptions } from './web-pubsub-server.js';

export interface LocalCloudOptions {
  /** Address everything listens on. Default `127.0.0.1`. */
  readonly address?: string;
  /** A name the site's certificate is also for and the name server knows. Default `site.test`. */
  readonly siteName?: string;
  /** The group of the device and its browsers. Default `dune-group`. */
  readonly group?: string;
  readonly certificates?: CertificateAuthorityOptions;
  readonly pubsub?: Pick<WebPubSubServerOptions, 'sessionRetentionMs' | 'maxUnacknowledged'>;
}

/**
 * How the internet fails for the device. Browsers (`joinAsBrowser`) are elsewhere and notice nothing.
 * `silent`: packets vanish: nothing answers, open connections become half-open. `refused`: connects are refused, open
 * connections reset, names not found. `portal`: a captive portal: the site shows a foreign certificate and the service
 * cannot be reached.
 */
export type Outage = 'silent' | 'refused' | 'portal';

/** A CA, the test site, a name server and the Web PubSub service, with a gate between the device and the service. */
export class LocalCloud {
  readonly ca: CertificateAuthority;
  readonly site: HttpsSite;
  readonly names: NameServer;
  readonly pubsub: WebPubSubServer;
  /** The device reaches the service (and its negotiate endpoint) through this. */
  readonly gate: TcpGate;
  readonly group: string;
  /** Name of the site, for look-ups by {@link names}. */
  readonly siteName: string;
  /** A temporary directory, removed by stop(). */
  readonly directory: string;
  /** PEM file of the CA, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  readonly #browsers = new Set<GroupClient>();

  private constructor(parts: {
    ca: CertificateAuthority;
    site: HttpsSite;
    names: NameServer;
    pubsub: WebPubSubServer;
    gate: TcpGate;
    group: string;
    siteName: string;
    directory: string;
    caFile: string;
  }) {
    this.ca = parts.ca;
    this.site = parts.site;
    this.names = parts.names;
    this.pubsub = parts.pubsub;
    this.gate = parts.gate;
    this.group = parts.group;
    this.siteName = parts.siteName;
    this.directory = parts.directory;
    this.caFile = parts.caFile;
    this.pubsub.negotiateAccess = { via: this.gate.hostAndPort };
  }

  static async start(options: LocalCloudOptions = {}): Promise<LocalCloud> {
    const address = options.address ?? '127.0.0.1';
    const siteName = options.siteName ?? 'site.test';
    const ca = await CertificateAuthority.create(options.certificates);
    const names = ['localhost', '127.0.0.1', '::1', address, siteName];
    const site = await HttpsSite.start({ address, ca, names: [...new Set(names)] });
    const nameServer = await NameServer.start({ address, records: { [siteName]: [address] } });
    const pubsub = await WebPubSubServer.start({ address, ca, ...options.pubsub });
    const gate = await TcpGate.start({ address, upstream: pubsub });
    const directory = await mkdtemp(path.join(tmpdir(), 'local-cloud-'));
    const caFile = path.join(directory, 'ca.pem');
    await writeFile(caFile, ca.certificatePem);
    const group = options.group ?? 'dune-group';
    return new LocalCloud({ ca, site, names: nameServer, pubsub, gate, group, siteName, directory, caFile });
  }

  /** A client access URL for the device, through the gate. */
  clientAccessUrl(options: ClientAccessOptions = {}): string {
    return this.pubsub.clientAccessUrl({ via: this.gate.hostAndPort, ...options });
  }

  /** Where the device can negotiate its URL, through the gate. */
  get negotiateUrl(): string {
    return `https://${this.gate.hostAndPort}/negotiate`;
  }

  /** `ADDRESS:PORT` of the site, for the setting testDomain. */
  get testDomain(): string {
    return this.site.hostAndPort;
  }

  /** What a daemon's process needs in its environment to trust this cloud and to sign in to it. */
  environment(signIn: 'fixed-url' | 'negotiate' = 'fixed-url'): Record<string, string> {
    return {
      NODE_EXTRA_CA_CERTS: this.caFile,
      WS_GROUP_NAME: this.group,
      DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: this.testDomain,
      ...(signIn === 'fixed-url'
        ? { WEBPUBSUB_CLIENT_URL: this.clientAccessUrl() }
        : { WEBPUBSUB_NEGOTIATE_URL: this.negotiateUrl }),
    };
  }

  /** A browser in the group; it reaches the service without the gate. Stopped by stop(). */
  async joinAsBrowser(userId = 'browser', group = this.group): Promise<GroupClient> {
    const url = this.pubsub.clientAccessUrl({ userId });
    const browser = await GroupClient.start({ url, group, ca: this.ca.certificatePem });
    this.#browsers.add(browser);
    return browser;
  }

  /** The device's internet goes away. */
  async breakInternet(outage: Outage = 'silent'): Promise<void> {
    switch (outage) {
      case 'silent':
        this.names.behave({ kind: 'silent' });
        await this.site.behave({ kind: 'hang', at: 'accept' });
        await this.gate.behave({ kind: 'black-hole' });
        return;
      case 'refused':
        this.names.behave({ kind: 'servfail' });
        await this.site.behave({ kind: 'refuse' });
        await this.gate.behave({ kind: 'refuse' });
        return;
      case 'portal':
        this.names.behave({ kind: 'hijack', address: this.site.address });
        this.site.showCertificate('foreign');
        await this.gate.behave({ kind: 'refuse' });
        return;
    }
  }

  /** The device's internet is back. */
  async repairInternet(): Promise<void> {
    this.names.behave({ kind: 'answer' });
    await this.site.repair();
    await this.gate.behave({ kind: 'open' });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#browsers].map((browser) => browser.stop()));
    await this.gate.stop();
    await Promise.all([this.pubsub.stop(), this.names.stop(), this.site.stop()]);
    await rm(this.directory, { recursive: true, force: true });
  }
}
