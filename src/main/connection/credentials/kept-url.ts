/**
 * A client access URL that outlives the process, so that a restart or a reboot needs no sign-in: what is kept of it, and when it may still
 * be used. Pure; `url-file.ts` has the file.
 */
import { parseClientUrl } from './client-url.js';

export interface KeptUrl {
  readonly url: string;
  /** When its token expires, milliseconds since 1970 by the issuer's clock. */
  readonly expiresAtMs: number;
  /** What of its life was left when it was got, milliseconds: then it was `expiresAtMs - lifeMs` by the issuer's clock. */
  readonly lifeMs: number;
}

/** Where one URL is kept beyond the life of the process. Nothing here throws or is waited for. */
export interface UrlKeeper {
  /** What the last process left, got with the same settings. */
  readonly found: KeptUrl | undefined;
  keep(kept: KeptUrl): void;
  /** It was refused, or its time is over. */
  forget(): void;
}

/** Keeps nothing. */
export const NO_KEEPER: UrlKeeper = { found: undefined, keep: () => undefined, forget: () => undefined };

/**
 * A Pi without a clock battery begins with the time it had last, which may have been written down an hour before the power went
 * (fake-hwclock does so hourly).
 */
const BEHIND_MS = 3_600_000;

/** How much of the URL's life is left; `too-early`: by this clock it has not been issued yet, so the clock is not to be believed. */
export type LifeLeft =
  { readonly kind: 'left'; readonly ms: number } | { readonly kind: 'over' } | { readonly kind: 'too-early' };

export function lifeLeft({ expiresAtMs, lifeMs }: KeptUrl, wallMs: number): LifeLeft {
  const ms = expiresAtMs - wallMs;
  if (ms > lifeMs + BEHIND_MS) return { kind: 'too-early' };
  return ms > 0 ? { kind: 'left', ms: Math.min(ms, lifeMs) } : { kind: 'over' };
}

/** The file's text. `boundTo` stands for the settings that the URL was got with. */
export function encodeKept(kept: KeptUrl, boundTo: string): string {
  return `${JSON.stringify({ version: 1, boundTo, ...kept })}\n`;
}

/** Whatever is not exactly such a text, or belongs to other settings, is nothing. Never throws. */
export function decodeKept(text: string, boundTo: string): KeptUrl | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const fields = json as Readonly<Record<string, unknown>>;
  if (fields['version'] !== 1 || fields['boundTo'] !== boundTo) return undefined;
  const { expiresAtMs, lifeMs } = fields;
  if (typeof expiresAtMs !== 'number' || typeof lifeMs !== 'number' || !(lifeMs > 0)) return undefined;
  const parsed = parseClientUrl(fields['url']);
  // Its own token says when it expires; a file that says otherwise is not ours.
  if (!parsed.ok || parsed.expiresAtMs !== expiresAtMs) return undefined;
  return { url: parsed.url, expiresAtMs, lifeMs };
}
