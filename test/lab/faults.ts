/**
 * What can be wrong with an internet connection, as named values that are applied to a lab and repaired again.
 * A repair restores all that the fault took, also what the kernel took along (the routes of a link that went down).
 */
import type { PortalBehaviour } from './internet.js';
import type { SiteBehaviour } from '../support/https-site.js';
import type { CertificateKind } from '../support/certificates.js';
import type { NameServerBehaviour } from '../support/name-server.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { addDelay } from './delay.js';
import { CLOCK_CACHE_MS, type Lab } from './lab.js';
import { LAN, LOGIN, NET, PI, PORTAL, PORTS, SECOND_NAME_SERVER, SITE_NAME, WAN, type Place } from './topology.js';

export interface Fault {
  readonly name: string;
  /** What it does, in words. */
  readonly says: string;
  /** True if the processes under test must be started with the lab's `clockEnv()`. */
  readonly needsClock?: true;
  apply(lab: Lab): Promise<void>;
  repair(lab: Lab): Promise<void>;
}

/** Repairs whatever the lab's own configuration says. */
const reconfigure = (lab: Lab): Promise<void> => lab.configure();

/** Lines of `ip` in one place; repaired by configuring everything again. */
function links(name: string, says: string, place: Place, lines: (lab: Lab) => readonly string[]): Fault {
  return { name, says, apply: (lab) => lab.ip(place, ...lines(lab)), repair: reconfigure };
}

/** Rules in the router: `rules` stand in its forward chain. */
function filter(name: string, says: string, rules: string): Fault {
  const table = `fault_${name.replaceAll('-', '_')}`;
  return {
    name,
    says,
    apply: (lab) =>
      lab.addRules(
        'router',
        table,
        `chain forward { type filter hook forward priority filter; policy accept;\n${rules}\n}`,
      ),
    repair: (lab) => lab.removeRules('router', table),
  };
}

function site(name: string, says: string, behaviour: SiteBehaviour): Fault {
  return {
    name,
    says,
    apply: (lab) => lab.internet.call('site', behaviour),
    repair: (lab) => lab.internet.call('repair', undefined),
  };
}

function certificate(kind: CertificateKind, says: string): Fault {
  return {
    name: `certificate-${kind}`,
    says,
    apply: (lab) => lab.internet.call('certificate', kind),
    repair: (lab) => lab.internet.call('repair', undefined),
  };
}

function dns(name: string, says: string, behaviour: NameServerBehaviour): Fault {
  return {
    name,
    says,
    apply: (lab) => lab.internet.call('dns', { behaviour }),
    repair: (lab) => lab.internet.call('repair', undefined),
  };
}

/** Loss of every packet with this probability, each way. */
export function packetLoss(percent: number): Fault {
  return filter(
    `packet-loss-${percent}`,
    `${percent} % of all packets are lost, each way`,
    `numgen random mod 100 < ${percent} drop`,
  );
}

/** Each packet takes longer, each way. */
export function latency(delayMs: number): Fault {
  const name = `latency-${delayMs}`;
  return {
    name,
    says: `every packet takes ${delayMs} ms longer, each way`,
    apply: async (lab) => lab.remember(name, await addDelay(lab, delayMs)),
    repair: (lab) => lab.undo(name),
  };
}

/** The name server answers so much later. */
export function slowDns(delayMs: number): Fault {
  return dns(`dns-slow-${delayMs}`, `the name server takes ${delayMs} ms`, { kind: 'slow', delayMs });
}

/** The clock of the process under test is off; see `Lab.setClock` for the form. */
export function clockOff(offset: string): Fault {
  return {
    name: `clock${offset}`,
    says: `the clock is off by ${offset}`,
    needsClock: true,
    apply: (lab) => {
      lab.setClock(offset);
      return Promise.resolve();
    },
    repair: async (lab) => {
      lab.setClock('+0');
      // Only then every process knows.
      await sleep(CLOCK_CACHE_MS);
    },
  };
}

export const linkDown = links('link-down', 'the interface is switched off', 'pi', () => [`link set ${PI.name} down`]);

export const carrierLost = links('carrier-lost', 'the other end of the cable is dead', 'router', () => [
  `link set ${LAN.name} down`,
]);

export const noAddress = links('no-address', 'there is a carrier, but no address', 'pi', (lab) => [
  `address flush dev ${PI.name} scope global`,
  // The IPv4 route goes with its address, that of IPv6 does not.
  ...(lab.ipv6 ? [`route del default via ${LAN.v6}`] : []),
]);

export const noDefaultRoute = links('no-default-route', 'there is an address, but no default route', 'pi', (lab) => [
  `route del default via ${LAN.v4}`,
  ...(lab.ipv6 ? [`route del default via ${LAN.v6}`] : []),
]);

export const ipv6Only: Fault = {
  name: 'ipv6-only',
  says: 'a network without IPv4',
  async apply(lab) {
    await lab.ip('pi', `address del ${PI.v4}/24 dev ${PI.name}`);
    lab.setResolvConf([NET.v6]);
  },
  repair: reconfigure,
};

export const ipv4Only: Fault = {
  name: 'ipv4-only',
  says: 'a network without IPv6, although the names have IPv6 addresses',
  async apply(lab) {
    await lab.ip('pi', `address del ${PI.v6}/64 dev ${PI.name}`, `route del default via ${LAN.v6}`);
    lab.setResolvConf([NET.v4]);
  },
  repair: reconfigure,
};

export const ipv6Broken = filter(
  'ipv6-broken',
  'there is an IPv6 address and route, but no packet comes through; IPv4 works',
  'meta nfproto ipv6 drop',
);

export const blackHole = filter('black-hole', 'every packet is dropped silently', 'drop');
export const uplinkDropped = filter('uplink-dropped', 'what the Pi sends is dropped', `iifname ${LAN.name} drop`);
export const downlinkDropped = filter(
  'downlink-dropped',
  'what is sent to the Pi is dropped',
  `iifname ${WAN.name} drop`,
);

export const dnsDropped = filter(
  'dns-dropped',
  'queries to name servers are dropped',
  `meta l4proto { tcp, udp } th dport ${PORTS.dns} drop`,
);
export const dnsNxdomain = dns('dns-nxdomain', 'the name server knows no name', { kind: 'nxdomain' });
export const dnsServfail = dns('dns-servfail', 'the name server cannot find out', { kind: 'servfail' });
export const dnsRefused = dns('dns-refused', 'the name server does not want to answer', { kind: 'refused' });
export const dnsHijacked = dns('dns-hijacked', 'every name leads to a portal', { kind: 'hijack', address: PORTAL.v4 });

/** HTTPS is the cloud's port as well: they differ only because the two share an address here. */
const HTTPS = `tcp dport { ${PORTS.site}, ${PORTS.cloud} }`;

/** Only connections that are opened from now on are led there, as portals do it. */
export const portalRedirect: Fault = {
  name: 'portal-redirect',
  says: 'every connection over HTTPS ends at a portal',
  apply: (lab) =>
    lab.addRules(
      'router',
      'fault_portal',
      `chain prerouting { type nat hook prerouting priority dstnat; policy accept;
iifname ${LAN.name} ${HTTPS} dnat ip to ${PORTAL.v4}
${lab.ipv6 ? `iifname ${LAN.name} ${HTTPS} dnat ip6 to ${PORTAL.v6}` : ''}
}
chain forward { type filter hook forward priority filter; policy accept;
ct status dnat accept
${HTTPS} reject with tcp reset
}`,
    ),
  repair: (lab) => lab.removeRules('router', 'fault_portal'),
};

/** What a portal does to port 443 that leads port 80 to its login. */
type SecureWay = 'drop' | 'reset' | 'plain' | 'own';

/** A portal that shows no certificate, or none to be taken for one at once. */
function portal(name: string, says: string, secure: SecureWay, behaviour: PortalBehaviour = {}): Fault {
  const table = `fault_${name.replaceAll('-', '_')}`;
  const lead = (port: number, toPort: number): string =>
    `iifname ${LAN.name} tcp dport ${port} dnat ip to ${PORTAL.v4}:${toPort}`;
  const lead6 = (port: number, toPort: number): string =>
    `iifname ${LAN.name} tcp dport ${port} dnat ip6 to [${PORTAL.v6}]:${toPort}`;
  return {
    name,
    says,
    async apply(lab) {
      await lab.internet.call('portal', behaviour);
      const toPort = { drop: undefined, reset: undefined, plain: 80, own: 443 }[secure];
      const to = toPort === undefined ? [] : [PORTS.site, PORTS.cloud].map((port) => [port, toPort]);
      const led = [[80, 80], ...to].flatMap(([port = 0, toPort = 0]) =>
        lab.ipv6 ? [lead(port, toPort), lead6(port, toPort)] : [lead(port, toPort)],
      );
      await lab.addRules(
        'router',
        table,
        `chain prerouting { type nat hook prerouting priority dstnat; policy accept;
${led.join('\n')}
}
chain forward { type filter hook forward priority filter; policy accept;
ct status dnat accept
${HTTPS} ${secure === 'drop' ? 'drop' : 'reject with tcp reset'}
}`,
      );
    },
    async repair(lab) {
      await lab.removeRules('router', table);
      await lab.internet.call('repair', undefined);
    },
  };
}

export const PORTALS: readonly Fault[] = [
  portal('portal-443-dropped', 'a portal that redirects port 80 and drops 443', 'drop'),
  portal('portal-443-reset', 'a portal that redirects port 80 and resets 443', 'reset'),
  portal('portal-443-plain', 'a portal that redirects port 80 and speaks plain HTTP at 443', 'plain'),
  portal('portal-expired', 'a portal whose own certificate has expired', 'own', { certificate: 'expired' }),
  portal('portal-not-yet-valid', 'a portal whose own certificate is not valid yet', 'own', {
    certificate: 'not-yet-valid',
  }),
  portal('portal-clock-2019', 'a portal with an expired certificate and a clock of 2019', 'own', {
    certificate: 'expired',
    clockMs: Date.UTC(2019, 0, 1),
  }),
  portal('portal-511', 'a portal that answers 511 at port 80 and resets 443', 'reset', {
    plain: { kind: 'page', status: 511, body: `<meta http-equiv="refresh" content="0; url=${LOGIN}">` },
  }),
];

export const httpsDropped = filter('https-dropped', 'HTTPS is dropped', `${HTTPS} drop`);
export const httpsRefused = filter(
  'https-refused',
  'HTTPS is refused',
  `iifname ${LAN.name} ${HTTPS} reject with tcp reset`,
);
/** What a box that reads TLS does with a line it does not like. */
export const httpsPayloadDropped = filter(
  'https-payload-dropped',
  'TCP opens, but what it carries of HTTPS is dropped',
  `${HTTPS} tcp flags & psh == psh drop`,
);
export const siteDropped = filter(
  'site-dropped',
  'the port of the site is dropped; the cloud answers',
  `tcp dport ${PORTS.site} drop`,
);
export const siteRefused = filter(
  'site-refused',
  'the port of the site is refused; the cloud answers',
  `iifname ${LAN.name} tcp dport ${PORTS.site} reject with tcp reset`,
);
/** Its registration ran out: the kept connection is cut with it, or it would go on. */
export const siteUnknown: Fault = {
  name: 'site-unknown',
  says: "the site's name is gone, and so is the site; the cloud answers",
  async apply(lab) {
    await lab.internet.call('record', { name: SITE_NAME, addresses: [] });
    await siteDropped.apply(lab);
  },
  async repair(lab) {
    await siteDropped.repair(lab);
    await lab.internet.call('record', { name: SITE_NAME, addresses: lab.ipv6 ? [NET.v4, NET.v6] : [NET.v4] });
  },
};
export const cloudDropped = filter(
  'cloud-dropped',
  'the port of the cloud is dropped; the site answers',
  `tcp dport ${PORTS.cloud} drop`,
);
export const hangAfterAccept = site('hang-after-accept', 'the site accepts and says no more', {
  kind: 'hang',
  at: 'accept',
});
export const hangAfterTls = site('hang-after-tls', 'the site ends the handshake and says no more', {
  kind: 'hang',
  at: 'tls',
});
export const status500 = site('status-500', 'the site answers 500', { kind: 'answer', status: 500 });
export const redirect = site('redirect', 'the site answers with a redirect', {
  kind: 'answer',
  status: 301,
  location: 'https://elsewhere.lab.test/',
});

export const certificateForeign = certificate('foreign', 'the certificate is of an unknown authority');
export const certificateExpired = certificate('expired', 'the certificate has expired');
export const certificateNotYetValid = certificate('not-yet-valid', 'the certificate is not valid yet');

export const resolvConfReplaced: Fault = {
  name: 'resolv-conf-replaced',
  says: 'a new lease names another name server; the old one no longer answers',
  async apply(lab) {
    lab.setResolvConf(lab.ipv6 ? [SECOND_NAME_SERVER.v4, SECOND_NAME_SERVER.v6] : [SECOND_NAME_SERVER.v4]);
    await lab.addRules(
      'router',
      'fault_old_dns',
      `chain forward { type filter hook forward priority filter; policy accept;
ip daddr ${NET.v4} meta l4proto { tcp, udp } th dport ${PORTS.dns} drop
ip6 daddr ${NET.v6} meta l4proto { tcp, udp } th dport ${PORTS.dns} drop
}`,
    );
  },
  async repair(lab) {
    await lab.removeRules('router', 'fault_old_dns');
    lab.setResolvConf(lab.nameServers());
  },
};

export const resolvConfEmpty: Fault = {
  name: 'resolv-conf-empty',
  says: 'no name server is known, as before the first lease',
  apply: (lab) => {
    lab.setResolvConf([]);
    return Promise.resolve();
  },
  repair: reconfigure,
};

export const resolvedAway: Fault = {
  name: 'resolved-away',
  says: 'resolv.conf names 127.0.0.53, and nothing runs there',
  apply: (lab) => {
    lab.setResolvConf(['127.0.0.53']);
    return Promise.resolve();
  },
  repair: reconfigure,
};

/** All of them, with ordinary parameters. */
export const FAULTS: readonly Fault[] = [
  linkDown,
  carrierLost,
  noAddress,
  noDefaultRoute,
  blackHole,
  uplinkDropped,
  downlinkDropped,
  dnsDropped,
  dnsNxdomain,
  dnsServfail,
  dnsRefused,
  slowDns(1_000),
  dnsHijacked,
  portalRedirect,
  ...PORTALS,
  httpsDropped,
  httpsRefused,
  httpsPayloadDropped,
  siteDropped,
  siteRefused,
  siteUnknown,
  cloudDropped,
  hangAfterAccept,
  hangAfterTls,
  certificateForeign,
  certificateExpired,
  certificateNotYetValid,
  status500,
  redirect,
  packetLoss(20),
  latency(300),
  ipv6Only,
  ipv4Only,
  ipv6Broken,
  resolvConfReplaced,
  resolvConfEmpty,
  resolvedAway,
  clockOff('-6y'),
];
