/** Times and durations for a page, in the time zone of this machine. Pure; without Intl, whose tables cost memory. */

const two = (n: number): string => String(n).padStart(2, '0');

/** `14:02`, or with seconds. */
export function timeOfDay(atMs: number, seconds = false): string {
  const at = new Date(atMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ''}`;
}

export function isSameDay(aMs: number, bMs: number): boolean {
  return new Date(aMs).toDateString() === new Date(bMs).toDateString();
}

/** `2026-11-24` */
export function isoDay(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** `24/11/2026` */
export function italianDay(atMs: number): string {
  const at = new Date(atMs);
  return `${two(at.getDate())}/${two(at.getMonth() + 1)}/${at.getFullYear()}`;
}
