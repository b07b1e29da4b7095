/** The internet of a lab, as one process in the `net` namespace. */
import { CertificateAuthority } from '../support/certificates.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { GroupClient, type ReceivedMessage } from '../support/group-client.js';
import { HttpsSite } from '../support/https-site.js';
import { systemClock } from '../../src/main/base/clock.js';
import { Page } from '../support/page.js';
import { PlainSite, type PlainBehaviour } from '../support/plain-site.js';
import { NtpServer } from '../support/ntp-server.js';
import { NameServer } from '../support/name-server.js';
import { WebPubSubServer } from '../support/web-pubsub-server.js';
import type { InternetCalls, Shown } from './internet.js';
import { anyRecovery } from '../support/web-pubsub/recovery.js';
import { seeded } from './random.js';
import { serve } from './remote-call.js';
import { CLOUD_NAME, DEVICE, LOGIN, NET, PORTAL, PORTS, SITE_NAME } from './topology.js';

interface Servers {
  readonly site: HttpsSite;
  readonly portal: HttpsSite;
  /** Port 80 of the site, and that of the portal. */
  readonly plainSite: PlainSite;
  readonly plainPortal: PlainSite;
  readonly dns: NameServer;
  readonly time: NtpServer;
  readonly cloud: WebPubSubServer;
  readonly ca: CertificateAuthority;
}

const TO_LOGIN: PlainBehaviour = { kind: 'redirect', location: `${LOGIN}?mac=b8:27:eb:00:00:01` };

/** Every address of either family. */
const ANY = '::';
/** How the browser reaches the cloud: it needs no name server. */
const INSIDE = '127.0.0.1';

let browser: GroupClient | undefined;
let servers: Servers | undefined;
const shown: Shown[] = [];

function joined(): GroupClient {
  if (browser === undefined) throw new Error('no browser has joined');
  return browser;
}

/** What the front end would show of the device, from now on. */
function openPage(client: GroupClient): void {
  const page = new Page({
    clock: systemClock,
    send: (subject, body) => {
      client.send({ subject, body, connectionId: client.connectionId ?? null }).catch(() => undefined);
    },
    onOnline: (online) => shown.push({ atMs: Date.now(), online }),
  });
  client.onMessage(({ data }) => {
    const { subject, body, source } = data as { subject?: unknown; body?: unknown; source?: unknown };
    if (source === 'controller' && typeof subject === 'string') page.received(subject, body);
  });
  page.connected();
}

function running(): Servers {
  if (servers === undefined) throw new Error('the internet was not started');
  return servers;
}

serve({
  async start({ ipv6, algorithm }) {
    const ca = await CertificateAuthority.create({ algorithm });
    const addresses = ipv6 ? [NET.v4, NET.v6] : [NET.v4];
    servers = {
      ca,
      time: await NtpServer.start({ address: NET.v4, port: PORTS.time }),
      cloud: await WebPubSubServer.start({
        ca,
        address: ANY,
        port: PORTS.cloud,
        names: [CLOUD_NAME, INSIDE, ...addresses],
        advertisedHost: CLOUD_NAME,
      }),
      site: await HttpsSite.start({ ca, address: ANY, port: PORTS.site, names: [SITE_NAME, ...addresses] }),
      // Of an authority of its own, as the login page of a hotel is.
      portal: await HttpsSite.start({ address: ANY, port: PORTS.portal, names: ['portal.lab.test', PORTAL.v4] }),
      plainSite: await PlainSite.start({ address: ANY, port: PORTS.plain }),
      plainPortal: await PlainSite.start({ address: ANY, port: PORTS.plainPortal }),
      dns: await NameServer.start({
        address: ANY,
        port: PORTS.dns,
        records: { [SITE_NAME]: addresses, [CLOUD_NAME]: addresses },
      }),
    };
    servers.time.silent = true;
    // As most sites do; over HTTP/1.1 alone see test/integration/checks.test.ts and cost.test.ts.
    servers.site.speak('h2', 'http/1.1');
    await servers.portal.behave({ kind: 'answer', status: 302, location: 'https://portal.lab.test/login' });
    return { ca: ca.certificatePem };
  },
  site: (behaviour) => running().site.behave(behaviour),
  siteSpeaks: (protocols) => running().site.speak(...protocols),
  siteDrops: () => running().site.dropConnections(),
  certificate: (kind) => running().site.showCertificate(kind),
  portal: ({ certificate, clockMs, plain }) => {
    const { portal, plainPortal } = running();
    portal.showCertificate(certificate ?? 'good');
    portal.dateHeader = clockMs === undefined ? undefined : new Date(clockMs);
    plainPortal.behave(plain ?? TO_LOGIN);
  },
  dns: ({ behaviour, types }) => running().dns.behave(behaviour, types),
  record: ({ name, addresses }) => running().dns.setRecord(name, addresses),
  time: ({ silent }) => {
    running().time.silent = silent;
  },
  counts: () => {
    const { site, portal, dns } = running();
    return { site: site.counts, portal: portal.counts, dnsQueries: dns.countQueries() };
  },
  clientAccessUrl: (options) => running().cloud.clientAccessUrl(options),
  cloud: () => {
    const { cloud } = running();
    return { counts: cloud.counts, live: cloud.liveConnections(), maxLiveOfDevice: cloud.maxLiveConnections(DEVICE) };
  },
  async waitForMember({ group, userId, timeoutMs }) {
    await running().cloud.waitForMember(group, { userId, timeoutMs });
    return Date.now();
  },
  recoverAtRandom: ({ seed }) => {
    const random = seeded(seed);
    running().cloud.recoverAs(() => anyRecovery(random.next()));
  },
  async browserJoin({ group, userId }) {
    const { cloud, ca } = running();
    const url = cloud.clientAccessUrl({ userId, via: `${INSIDE}:${PORTS.cloud}` });
    browser = await GroupClient.start({ url, group, ca: ca.certificatePem });
  },
  browserLooks: () => openPage(joined()),
  browserShown: () => shown,
  browserSend: ({ data }) => joined().send(data),
  browserCount: () => joined().messages.length,
  async browserGot({ subject, body, since, timeoutMs, settleMs }) {
    const fits = ({ data }: ReceivedMessage): boolean => {
      const message = data as { readonly subject?: unknown; readonly body?: unknown };
      return message.subject === subject && (body === undefined || message.body === body);
    };
    await joined().waitForMessage(fits, { since, timeoutMs });
    await sleep(settleMs);
    return joined().messages.slice(since).filter(fits).length;
  },
  cloudFault: (fault) => {
    const { cloud } = running();
    const ofDevice = { userId: DEVICE };
    switch (fault) {
      case 'drop':
        cloud.drop(ofDevice);
        break;
      case 'going-away':
        cloud.close(1001, 'The service is being updated', ofDevice);
        break;
      case 'forget':
        cloud.close(1008, 'The session is gone', ofDevice);
        break;
      case 'half-open':
        cloud.goHalfOpen(ofDevice);
        break;
    }
  },
  browserMessages: ({ since }) => joined().messages.slice(since),
  async repair() {
    const { site, portal, dns, cloud } = running();
    await cloud.repair();
    await portal.repair();
    dns.behave({ kind: 'answer' });
    await site.repair();
  },
} satisfies InternetCalls);
