/** Name servers, and who names them. */
import type { NameServerBehaviour } from '../../support/name-server.js';
import { NET, PORTAL, PORTS, SECOND_NAME_SERVER } from '../topology.js';
import { filter, reconfigure, type Fault } from './make.js';

function dns(name: string, says: string, behaviour: NameServerBehaviour): Fault {
  return {
    name,
    says,
    apply: (lab) => lab.internet.call('dns', { behaviour }),
    repair: (lab) => lab.internet.call('repair', undefined),
  };
}

/** The name server answers so much later. */
export function slowDns(delayMs: number): Fault {
  return dns(`dns-slow-${delayMs}`, `the name server takes ${delayMs} ms`, { kind: 'slow', delayMs });
}

export const dnsDropped = filter(
  'dns-dropped',
  'queries to name servers are dropped',
  `meta l4proto { tcp, udp } th dport ${PORTS.dns} drop`,
);
export const dnsNxdomain = dns('dns-nxdomain', 'the name server knows no name', { kind: 'nxdomain' });
export const dnsServfail = dns('dns-servfail', 'the name server cannot find out', { kind: 'servfail' });
export const dnsRefused = dns('dns-refused', 'the name server does not want to answer', { kind: 'refused' });
export const dnsHijacked = dns('dns-hijacked', 'every name leads to a portal', { kind: 'hijack', address: PORTAL.v4 });

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
