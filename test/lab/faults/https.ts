/** HTTPS, the test site and its certificate, the cloud. */
import type { CertificateKind } from '../../support/certificates.js';
import type { SiteBehaviour } from '../../support/https-site.js';
import { LAN, NET, PORTS, SITE_NAME } from '../topology.js';
import { HTTPS, filter, type Fault } from './make.js';

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
