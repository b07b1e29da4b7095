/**
 * Fills in the TCP or UDP checksum of a packet. Between virtual interfaces the kernel leaves it out, since nothing can
 * damage the packet there; once the packet has been through a process, the kernel wants it.
 */
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
const ETHERNET_HEADER = 14;
/** Where the checksum stands in the header of each protocol that has one the kernel leaves out: TCP, UDP. */
const CHECKSUM_AT: Readonly<Record<number, number>> = { 6: 16, 17: 6 };
const UDP = 17;

/** `frame` is changed in place. What is not TCP or UDP, or is a fragment, is left alone. */
export function fillChecksum(frame: Buffer): void {
  const found = findSegment(frame);
  const at = found === undefined ? undefined : CHECKSUM_AT[found.protocol];
  if (found === undefined || at === undefined) return;
  const { addresses, protocol, segment } = found;
  if (segment.length < at + 2) return;
  segment.writeUInt16BE(0, at);
  const sum = fold(sumOf(addresses) + protocol + segment.length + sumOf(segment));
  const checksum = ~sum & 0xffff;
  segment.writeUInt16BE(checksum === 0 && protocol === UDP ? 0xffff : checksum, at);
}

function findSegment(frame: Buffer): { addresses: Buffer; protocol: number; segment: Buffer } | undefined {
  const type = frame.readUInt16BE(ETHERNET_HEADER - 2);
  const ip = frame.subarray(ETHERNET_HEADER);
  if (type === ETHERTYPE_IPV4 && ip.length >= 20) {
    const isFragment = (ip.readUInt16BE(6) & 0x3fff) !== 0;
    if (isFragment) return undefined;
    const header = (ip.readUInt8(0) & 0xf) * 4;
    return {
      addresses: ip.subarray(12, 20),
      protocol: ip.readUInt8(9),
      segment: ip.subarray(header, ip.readUInt16BE(2)),
    };
  }
  if (type === ETHERTYPE_IPV6 && ip.length >= 40) {
    const end = 40 + ip.readUInt16BE(4);
    return { addresses: ip.subarray(8, 40), protocol: ip.readUInt8(6), segment: ip.subarray(40, end) };
  }
  return undefined;
}

function sumOf(bytes: Buffer): number {
  let sum = 0;
  const even = bytes.length & ~1;
  for (let i = 0; i < even; i += 2) sum += bytes.readUInt16BE(i);
  return even === bytes.length ? sum : sum + (bytes.readUInt8(even) << 8);
}

function fold(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return folded;
}
