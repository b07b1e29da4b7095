/** As long as any name in use on the bus, and far below what a server takes. */
const LONGEST = 64;

/**
 * True if the text can be one token of a subject for every NATS server: no blank, no separator, no wildcard
 * (docs.nats.io, "Subject-Based Messaging"). What comes from a network is held to fewer signs.
 */
export function isSubjectToken(text: string): boolean {
  return text.length <= LONGEST && /^[^\s.*>\p{Cc}\p{Cs}]+$/u.test(text);
}
