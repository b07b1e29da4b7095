import { createHmac, timingSafeEqual } from 'node:crypto';
import { registerSecret } from '../everything-logged.js';

/** Claims of a client's token. */
export interface TokenClaims {
  /** The client URL without its query. */
  readonly aud: string;
  /** Seconds since 1970. */
  readonly exp: number;
  readonly iat?: number;
  /** User id. */
  readonly sub?: string;
  readonly role?: readonly string[];
}

export function signToken(claims: Partial<TokenClaims>, key: string): string {
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  const token = `${body}.${signature(body, key).toString('base64url')}`;
  registerSecret(token);
  return token;
}

/** Returns the claims, or what is wrong with the token. */
export function verifyToken(
  token: string,
  key: string,
  audience: string,
  nowMs: number,
): { readonly ok: true; readonly claims: TokenClaims } | { readonly ok: false; readonly problem: string } {
  const [head, payload, sign, ...rest] = token.split('.');
  if (head === undefined || payload === undefined || sign === undefined || rest.length > 0) return no('not a JWT');
  const expected = signature(`${head}.${payload}`, key);
  const given = Buffer.from(sign, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return no('wrong signature');
  const header = decode(head);
  const claims = decode(payload);
  if (header?.['alg'] !== 'HS256') return no('wrong algorithm');
  if (claims === undefined) return no('no claims');
  const { aud, exp, sub, role } = claims;
  if (typeof exp !== 'number') return no('no exp');
  if (exp * 1000 <= nowMs) return no('expired');
  // The service's own SDK writes https, others wss: the host and path are what counts.
  if (typeof aud !== 'string' || withoutScheme(aud) !== withoutScheme(audience)) return no('wrong audience');
  const roles = typeof role === 'string' ? [role] : Array.isArray(role) ? role : [];
  return {
    ok: true,
    claims: {
      aud,
      exp,
      ...(typeof sub === 'string' ? { sub } : {}),
      ...(role === undefined ? {} : { role: roles.filter((item) => typeof item === 'string') }),
    },
  };
}

function no(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

function withoutScheme(url: string): string {
  return url.replace(/^(?:https?|wss?):\/\//, '').toLowerCase();
}

function signature(body: string, key: string): Buffer {
  return createHmac('sha256', key).update(body).digest();
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
