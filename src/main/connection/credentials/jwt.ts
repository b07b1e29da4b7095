/** When a JWT expires, read without verifying it: the service verifies, this side only wants to ask for a new one in time. */

/** Longest token that is looked at, characters: a token with a hundred roles stays under a tenth of it. */
const MAX_LENGTH = 64 * 1024;
/** Latest moment a `Date` can hold, milliseconds since 1970. */
const MAX_DATE_MS = 8.64e15;

/** The token's `exp`, milliseconds since 1970; undefined if there is none or this is not a JWT. Never throws. */
export function jwtExpiryMs(token: string): number | undefined {
  if (token.length > MAX_LENGTH) return undefined;
  const [, payload, signature, ...rest] = token.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const exp: unknown = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    if (typeof exp !== 'number' || !(exp > 0)) return undefined;
    const ms = Math.floor(exp * 1_000);
    return ms <= MAX_DATE_MS ? ms : undefined;
  } catch {
    return undefined;
  }
}
