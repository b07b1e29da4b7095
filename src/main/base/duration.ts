/** Durations for reading. Pure. */

/** `800 ms`, `3 s`, `28 s`, `5 min`, `1 h`: rounded, for reading. */
export function humanDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const secs = Math.round(ms / 1000);
  if (secs < 120) return `${secs} s`;
  if (secs < 7200) return secs % 60 === 0 ? `${secs / 60} min` : `${Math.floor(secs / 60)} min ${secs % 60} s`;
  const mins = Math.round(secs / 60);
  return mins % 60 === 0 ? `${mins / 60} h` : `${Math.floor(mins / 60)} h ${mins % 60} min`;
}
