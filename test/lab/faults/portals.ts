/** Captive portals. */
import type { PortalBehaviour } from '../internet.js';
import { LAN, LOGIN, PORTAL, PORTS } from '../topology.js';
import { HTTPS, type Fault } from './make.js';

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

/** Only connections that are opened from now on are led there, and what is open lives on. */
export const portalNewFlows: Fault = {
  name: 'portal-new-flows',
  says: 'every new connection over HTTPS ends at a portal; those that are open live on',
  apply: (lab) =>
    lab.addRules(
      'router',
      'fault_portal_new_flows',
      `chain prerouting { type nat hook prerouting priority dstnat; policy accept;
tcp flags & (syn | ack) != syn accept
iifname ${LAN.name} ${HTTPS} ct state new dnat ip to ${PORTAL.v4}
${lab.ipv6 ? `iifname ${LAN.name} ${HTTPS} ct state new dnat ip6 to ${PORTAL.v6}` : ''}
}`,
    ),
  repair: (lab) => lab.removeRules('router', 'fault_portal_new_flows'),
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
