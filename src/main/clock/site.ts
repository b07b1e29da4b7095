/**
 * The site's own word on the time, from the answers of the checks: a second opinion that is always at hand, proved by a certificate, and too
 * coarse for anything but a clock that is far off. Pure.
 */

/** From there on a clock is far off, milliseconds: no time zone and no daylight saving explains a day. */
export const FAR_OFF_MS = 86_400_000;
/** One line a day, whether it lasts or comes and goes. */
export const SAY_AGAIN_MS = 86_400_000;

export interface SiteWord {
  /** Our clock minus the site's while it is far off, milliseconds. */
  readonly farOffMs: number | undefined;
  /** When that was said last, on a clock that never goes back. */
  readonly saidAtMs: number | undefined;
  /** It was said, and its end was not. */
  readonly open: boolean;
}

export const NO_WORD: SiteWord = { farOffMs: undefined, saidAtMs: undefined, open: false };

/** What is to be said now. */
export type SiteNews = 'far-off' | 'agrees' | undefined;

/** @param aheadMs our clock minus the site's, milliseconds */
export function judgeSite(before: SiteWord, aheadMs: number, nowMs: number): readonly [SiteWord, SiteNews] {
  if (Math.abs(aheadMs) <= FAR_OFF_MS) {
    return [{ ...before, farOffMs: undefined, open: false }, before.open ? 'agrees' : undefined];
  }
  const due = before.saidAtMs === undefined || nowMs - before.saidAtMs >= SAY_AGAIN_MS;
  if (!due) return [{ ...before, farOffMs: aheadMs }, undefined];
  return [{ farOffMs: aheadMs, saidAtMs: nowMs, open: true }, 'far-off'];
}

/** Such as `6 years behind`. */
export function farOffWords(aheadMs: number): string {
  const days = Math.round(Math.abs(aheadMs) / 86_400_000);
  const years = Math.round(days / 365.25);
  const much = days < 730 ? `${days} day${days === 1 ? '' : 's'}` : `${years} years`;
  return `${much} ${aheadMs > 0 ? 'ahead' : 'behind'}`;
}
