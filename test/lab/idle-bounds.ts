/** What a day may cost in which nothing happens: IP packets both ways, as the provider of a SIM card counts. */
export const IDLE_DAY_AT_MOST_BYTES = { default: 8e6, dataSaver: 0.6e6 } as const;
/** In which a real outage is noticed with the data saver: 75 s, the wait for the answer, two checks; and of these two as much again for a slow machine. */
export const SAVER_NOTICES_WITHIN_MS = 75_000 + 2 * 8_000;
