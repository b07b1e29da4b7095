/** What a JWT says, read without verifying it: the service verifies, this side only wants to know when to ask for a new one, and what it is good for. */

/** Longest token that is looked at, characters: a token with a hundred roles stays under a tenth of it. */
const MAX_LENGTH = 64 * 1024;
/** Latest moment a `Date` can hold, milliseconds since 1970. */
const MAX_DATE_MS = 8.64e15;

/** The token's `exp`, milliseconds since 1970; undefined if there is none or this is not a JWT. Never throws. */
export function jwtExpiryMs(token: string): number | undefined {
  const exp = claimOf(token, 'exp');
  if (typeof exp !== 'number' || !(exp > 0)) return undefined;
  const ms = Math.floor(exp * 1_000);
  return ms <= MAX_DATE_MS ? ms : undefined;
}

/** The token's `role`, one or several; undefined if there is none or this is not a JWT. Never throws. */
export function jwtRoles(token: string): readonly string[] | undefined {
  const role = claimOf(token, 'role');
  const roles = typeof role === 'string' ? [role] : Array.isArray(role) ? (role as unknown[]) : undefined;
  return roles?.filter((one) => typeof one === 'string');
}

function claimOf(token: string, name: string): unknown {
  if (token.length > MAX_LENGTH) return undefined;
  const [, payload, signature, ...rest] = token.split('.');
  if (payload === undefined || signature === undefined || rest.length > 0) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null
      ? (claims as Readonly<Record<string, unknown>>)[name]
      : undefined;
  } catch {
    return undefined;
  }
}
