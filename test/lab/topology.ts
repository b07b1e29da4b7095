/**
 * Who has which address. The same in every lab: each lives in namespaces of its own.
 *
 *   pi (pi0) ─── veth ─── (lan0) router (wan0) ─── veth ─── (net0) net
 *
 * The name server, the test site and the cloud share the one address of `net`, on different ports, so that an answer over
 * UDP always comes from the address that was asked. The portal and the second name server have addresses behind it.
 * The IPv6 prefix is a unique local one, which the kernel treats as it treats a global one.
 */

/** The three machines. */
export type Place = 'pi' | 'router' | 'net';

export const PLACES: readonly Place[] = ['pi', 'router', 'net'];

/** One machine's end of a veth pair. */
export interface Interface {
  readonly place: Place;
  readonly name: string;
  readonly v4: string;
  readonly v6: string;
}

export const PI: Interface = { place: 'pi', name: 'pi0', v4: '10.77.1.2', v6: 'fd77:0:0:1::2' };
export const LAN: Interface = { place: 'router', name: 'lan0', v4: '10.77.1.1', v6: 'fd77:0:0:1::1' };
export const WAN: Interface = { place: 'router', name: 'wan0', v4: '10.77.2.1', v6: 'fd77:0:0:2::1' };
export const NET: Interface = { place: 'net', name: 'net0', v4: '10.77.2.2', v6: 'fd77:0:0:2::2' };

/** Where a captive portal answers ports 443 and 80. */
export const PORTAL = { v4: '10.77.66.66', v6: 'fd77:0:0:66::66' } as const;
/** The name server that another DHCP lease names. */
export const SECOND_NAME_SERVER = { v4: '10.77.66.53', v6: 'fd77:0:0:66::53' } as const;

export const PORTS = {
  dns: 53,
  time: 123,
  site: 443,
  cloud: 8443,
  portal: 9443,
  plain: 80,
  plainPortal: 9080,
} as const;

/** The name of the test site, and that of the cloud. */
export const SITE_NAME = 'site.lab.test';
export const CLOUD_NAME = 'cloud.lab.test';
/** A name that nobody has. */
export const NO_NAME = 'nobody.lab.test';
/** The endpoint that hands out client access URLs, at the cloud itself. */
export const NEGOTIATE_URL = `https://${CLOUD_NAME}:${PORTS.cloud}/negotiate`;
/** Who the daemon is to the cloud: that of the URLs which the negotiate endpoint hands out. */
export const DEVICE = 'device';
/** Where the portal wants somebody to log in. */
export const LOGIN = 'http://login.hotel.test/start';
