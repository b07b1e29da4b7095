/** Links, addresses and routes. */
import { LAN, NET, PI } from '../topology.js';
import { links, reconfigure, type Fault } from './make.js';

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
