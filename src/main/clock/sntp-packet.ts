/** The 48 bytes of SNTP, both ways (RFC 4330, section 4). Pure. */

export const PACKET_BYTES = 48;
/** Seconds from 1900, where NTP begins, to 1970. */
const EPOCH_SECS = 2_208_988_800;
/** NTP's seconds have 32 bits: they begin anew in 2036. */
const ERA_SECS = 2 ** 32;

/** A request of version 4, mode 3. `nonce`: 8 random bytes as transmit timestamp, which the answer must echo; the time itself is nobody's business. */
export function sntpRequest(nonce: Uint8Array): Uint8Array {
  const packet = new Uint8Array(PACKET_BYTES);
  packet[0] = (4 << 3) | 3;
  packet.set(nonce.subarray(0, 8), 40);
  return packet;
}

/** Reference of a server that goes by nothing but its own clock: 127.127.1.x of ntpd and chronyd, `LOCL` of others. */
const OWN_CLOCK = /^(7f7f01..|4c4f434c)$/;

/**
 * What a server of this same machine says of its clock, which is ours: does it follow another? Undefined for what is no answer to this
 * request.
 */
export function sntpFollows(packet: Uint8Array, nonce: Uint8Array): boolean | undefined {
  if (packet.byteLength < PACKET_BYTES) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (!isAnswer(view, nonce)) return undefined;
  const reference = Buffer.from(packet.subarray(12, 16)).toString('hex');
  return isSynchronised(view) && !OWN_CLOCK.test(reference);
}

/**
 * The offset of the server's clock from ours, milliseconds; undefined for what is no valid answer to this request (section 5): mode 4,
 * stratum 1 to 15 (0 is a kiss of death), no alarm in the leap indicator, the nonce echoed, a transmit timestamp.
 *
 * @param sentMs wall clock when the request left
 * @param roundTripMs from the request to the answer, by a clock that never jumps
 */
export function sntpOffsetMs(
  packet: Uint8Array,
  nonce: Uint8Array,
  sentMs: number,
  roundTripMs: number,
): number | undefined {
  if (packet.byteLength < PACKET_BYTES) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (!isAnswer(view, nonce) || !isSynchronised(view)) return undefined;
  if (view.getUint32(40) === 0 && view.getUint32(44) === 0) return undefined;
  const receivedMs = wallMsAt(view, 32);
  const transmittedMs = wallMsAt(view, 40);
  return (receivedMs - sentMs + (transmittedMs - (sentMs + roundTripMs))) / 2;
}

/** Mode 4, the nonce echoed. */
function isAnswer(view: DataView, nonce: Uint8Array): boolean {
  return (view.getUint8(0) & 7) === 4 && nonce.subarray(0, 8).every((byte, i) => view.getUint8(24 + i) === byte);
}

/** No alarm; stratum 0 is a kiss of death, 16 and more no clock to follow. */
function isSynchronised(view: DataView): boolean {
  const stratum = view.getUint8(1);
  return view.getUint8(0) >> 6 !== 3 && stratum >= 1 && stratum <= 15;
}

/** Section 3: with the highest bit clear the seconds count from 2036. */
function wallMsAt(view: DataView, offset: number): number {
  const secs = view.getUint32(offset);
  const era = secs >= 2 ** 31 ? 0 : ERA_SECS;
  return (secs + era - EPOCH_SECS) * 1_000 + (view.getUint32(offset + 4) / 2 ** 32) * 1_000;
}
