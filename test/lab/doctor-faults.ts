/** What the doctor has to say under each fault of the lab: the check that tells it, its trouble, and words. */
import type { TroubleCode } from '../../src/main/troubles.js';
import { FAULTS, type Fault } from './faults.js';
import { LOGIN, NET } from './topology.js';

export interface Diagnosed {
  readonly fault: Fault;
  /** Undefined: a matter of chance. */
  readonly outcome: 'fail' | 'warn' | 'pass' | undefined;
  /** Undefined: nothing is wrong. */
  readonly check: string | undefined;
  readonly trouble: TroubleCode | undefined;
  readonly words: RegExp;
}

type Expected = readonly [outcome: Diagnosed['outcome'], check: string, trouble: TroubleCode, words: RegExp];

/** Nothing is wrong, and this check has to see what is unusual. */
const fine = (check: string, words: RegExp): readonly ['pass', string, undefined, RegExp] => [
  'pass',
  check,
  undefined,
  words,
];
const siteAlone = (words: RegExp): Expected => ['warn', 'site', 'test-site-down', words];
const silent: Expected = [
  'fail',
  'name-servers',
  'dns-timeout',
  /no name server answers, asked 10\.77\.2\.2.*; the router 10\.77\.1\.1 answers/,
];
const portal: Expected = ['fail', 'portal', 'portal', new RegExp(`log in at ${LOGIN}`)];

const EXPECTED: Readonly<Record<string, Expected | ReturnType<typeof fine>>> = {
  'link-down': ['fail', 'links', 'no-link', /pi0 is down/],
  'carrier-lost': ['fail', 'links', 'no-link', /pi0 has no carrier/],
  'no-address': ['fail', 'routes', 'no-route', /pi0 has no address/],
  'no-default-route': ['fail', 'routes', 'no-route', /no default route/],
  'black-hole': silent,
  'uplink-dropped': silent,
  'downlink-dropped': silent,
  'dns-dropped': silent,
  'dns-nxdomain': ['fail', 'name-servers', 'dns-failed', /no such name \(NXDOMAIN\)/],
  'dns-servfail': ['fail', 'name-servers', 'dns-failed', /SERVFAIL/],
  'dns-refused': ['fail', 'name-servers', 'dns-failed', /REFUSED/],
  'dns-slow-1000': ['warn', 'name-servers', 'name-server-slow', new RegExp(`${NET.v4} answers in 1\\d\\d\\d ms`)],
  'dns-hijacked': ['fail', 'portal', 'portal', /certificate|answers/],
  'portal-redirect': ['fail', 'portal', 'portal', /certificate|answers/],
  'portal-new-flows': ['fail', 'portal', 'portal', /./],
  'portal-443-dropped': portal,
  'portal-443-reset': portal,
  'portal-443-plain': portal,
  'portal-expired': portal,
  'portal-not-yet-valid': portal,
  'portal-clock-2019': portal,
  'portal-511': portal,
  'https-dropped': ['fail', 'site', 'tcp-timeout', /site\.lab\.test at .*ETIMEDOUT.*no better: cloud\.lab\.test/],
  'https-refused': ['fail', 'site', 'tcp-refused', /ECONNREFUSED/],
  'https-payload-dropped': ['fail', 'site', 'tls-failed', /ETIMEDOUT/],
  'site-dropped': siteAlone(/its address does not answer.*cloud\.lab\.test:8443 shows its certificate/),
  'site-refused': siteAlone(/it refuses connections/),
  'site-unknown': siteAlone(/its name leads to no address \(ENOTFOUND\)/),
  'cloud-dropped': ['warn', 'hosts', 'sign-in-unanswered', /cloud\.lab\.test:8443: its address does not answer/],
  'hang-after-accept': siteAlone(/TLS handshake fails/),
  'hang-after-tls': siteAlone(/sends no answer/),
  'certificate-foreign': siteAlone(/somebody else's certificate/),
  'certificate-expired': siteAlone(/its certificate expired on/),
  'certificate-not-yet-valid': siteAlone(/not valid yet/),
  'status-500': fine('site', /answers with status 500/),
  redirect: fine('site', /answers with status 301/),
  // Of so many packets a check may fail or not.
  'packet-loss-20': [undefined, 'line', 'line-lossy', /of 24 tries \d+ lost a packet/],
  'latency-300': ['warn', 'line', 'line-slow', /a packet takes [56]\d\d ms/],
  'large-lost-1300': ['warn', 'mtu', 'large-packets-lost', /1280 bytes get through by pi0, 1400 do not/],
  'ipv6-only': fine('families', /^IPv6 alone$/),
  'ipv4-only': fine('families', /^IPv4 alone$/),
  'ipv6-broken': ['warn', 'families', 'family-broken', /nothing comes back over IPv6/],
  'ipv6-tcp-only': ['warn', 'families', 'family-broken', /nothing comes back over IPv6/],
  'ipv6-large-lost': ['warn', 'families', 'family-broken', /nothing comes back over IPv6/],
  'ipv6-large-lost-out': ['warn', 'mtu', 'large-packets-lost', /576 bytes get through by pi0, 1000 do not/],
  'resolv-conf-replaced': fine('name-servers', /10\.77\.66\.53 answers/),
  'resolv-conf-empty': ['fail', 'name-servers', 'dns-failed', /resolv\.conf names no name server/],
  'resolved-away': ['fail', 'name-servers', 'dns-failed', /nothing runs at 127\.0\.0\.53/],
  'clock-6y': ['fail', 'clock', 'clock', /6 years behind|is valid from/],
};

/** Every fault that has a row. */
export const DIAGNOSED: readonly Diagnosed[] = FAULTS.flatMap((fault) => {
  const expected = EXPECTED[fault.name];
  if (expected === undefined) return [];
  const [outcome, check, trouble, words] = expected;
  return { fault, outcome, check, trouble, words };
});

/** Names of the others: there is to be none. */
export const WITHOUT_ROW: readonly string[] = FAULTS.map(({ name }) => name).filter((name) => !(name in EXPECTED));
