/** Room for a packet on the interface that carries, and on the way out. */
import { packetAdvice, packetWords } from '../../../evidence-text.js';
import { skipBehind } from '../blame.js';
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** Least of IPv6 (RFC 8200, 5). */
const LEAST_OF_IPV6 = 1_280;
/** Least that any IPv4 host must take (RFC 791, 3.1). */
const LEAST_OF_IPV4 = 576;

export class MtuCheck implements Check {
  readonly id = 'mtu';
  readonly area = 'network';
  readonly title = 'packet size';

  async run({ system, internet, machine, packets: look }: Facts): Promise<Finding> {
    const { interface: carrying } = await machine();
    if (carrying === null) return skipBehind('router', await internet()) ?? skip('no interface carries');
    const mtu = Number(await system.read(`/sys/class/net/${carrying.name}/mtu`));
    if (!(mtu > 0)) return skip('the kernel does not say');
    const words = `${carrying.name} takes ${mtu} bytes`;
    if (mtu < LEAST_OF_IPV4) return fail('mtu-small', words);
    if (mtu < LEAST_OF_IPV6) return warn('mtu-small', words);
    const packets = await look();
    if (packets?.ok === false) return warn('large-packets-lost', packetWords(packets), packetAdvice(packets));
    return pass(
      packets === undefined ? `${words}; whether they get through is not known` : `${words}, and they get through`,
    );
  }
}
