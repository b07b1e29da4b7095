/** Who is near: an address of this machine, or of one of the networks it is in. A Pi with a public address is not to be read by the world. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** `own`: of the machine's interfaces, such as `192.168.1.7/24`. */
export function isNeighbour(address: string, own: readonly string[] = ownNetworks()): boolean {
  const near = new BlockList();
  for (const cidr of own) {
    const [network = '', prefix = ''] = cidr.split('/');
    near.addSubnet(network, Number(prefix), isIPv6(network) ? 'ipv6' : 'ipv4');
  }
  // Over a socket for both families an IPv4 address is written as one of IPv6 (RFC 4291, 2.5.5.2).
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address)?.[1];
  const plain = (mapped ?? address).replace(/%.*$/, '');
  return isIP(plain) !== 0 && near.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

/** None where the system refuses the list; then nobody is let in. */
function ownNetworks(): readonly string[] {
  try {
    return Object.values(networkInterfaces()).flatMap((all = []) => all.flatMap(({ cidr }) => cidr ?? []));
  } catch {
    return [];
  }
}
