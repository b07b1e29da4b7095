/**
 * What the browsers were to hear and did not: heartbeats and system_info that could not be said, or were said and never acknowledged. Pure.
 * They are not kept, since they say something of a moment; that one is due is remembered and said anew at the next join or resume.
 */
export interface Missed {
  readonly heartbeat: boolean;
  readonly systemInfo: boolean;
}

export const NOTHING_MISSED: Missed = { heartbeat: false, systemInfo: false };
export const ALL_MISSED: Missed = { heartbeat: true, systemInfo: true };

/** @param subject of the message that did not reach the group */
export function missed(before: Missed, subject: string): Missed {
  switch (subject) {
    case 'heartbeat':
      return { ...before, heartbeat: true };
    case 'system_info':
      return { ...before, systemInfo: true };
    default:
      return before;
  }
}
