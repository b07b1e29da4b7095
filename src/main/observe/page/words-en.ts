/** The page in English. Pure. */
import { humanDuration } from '../../base/duration.js';
import { STATION_NAMES } from '../station-names.js';
import { isoDay, isSameDay, timeOfDay } from './times.js';
import type { Words } from './words.js';

const times = (count: number): string => (count === 1 ? 'one outage' : `${count} outages`);

export const ENGLISH: Words = {
  language: 'en',
  sentence: ({ sentence }) => sentence,
  next: ({ next }) => next,
  trouble: () => undefined,
  stations: STATION_NAMES,
  states: { ok: 'fine', bad: 'trouble', unknown: 'not known', behind: 'not looked at', off: 'off' },
  behind: 'because of the above',
  off: 'not wanted',
  connecting: 'connecting',
  group: (name) => `group ${name}`,
  memoryFree: (megabytes) => `${megabytes} MB of memory free`,
  weakSupply: 'the power supply is too weak',
  headings: {
    chain: 'From the Pi to the cloud',
    day: 'The last 24 hours',
    month: 'The last 30 days',
    latency: 'Latency of the internet, 24 hours',
    outages: 'Outages',
  },
  wrong: 'What is wrong',
  means: 'It means',
  todo: 'What to do',
  besides: 'Besides',
  nextIs: 'Next',
  lookNow: 'Look now',
  gone: 'The service does not answer: what you see is old. It is asked again and again.',
  summary: (outages, ms, percent) => {
    if (percent === null) return 'The service did not run.';
    return outages === 0
      ? 'No outage of the internet.'
      : `The internet was there for ${percent} %: ${times(outages)}, together ${humanDuration(ms)}.`;
  },
  bucket: { fine: 'fine', away: 'internet away', cloud: 'cloud away', unseen: 'service not running' },
  latencyOf: (mean, max) => `Last hour: ${mean} ms, at most ${max} ms.`,
  failed: (percent) => `${percent} % of the checks failed.`,
  noLatency: 'Nothing measured yet: the first point comes after an hour.',
  mean: 'mean',
  most: 'at most',
  columns: { from: 'From', long: 'For', why: 'Why', cloud: 'Cloud' },
  noOutages: 'No outages are known.',
  asTable: 'All as a table for spreadsheets (CSV)',
  scope: { internet: 'internet', cloud: 'cloud' },
  atLeast: (duration) => `at least ${duration}`,
  soFar: (duration) => `${duration} so far`,
  several: (count) => `${count} outages, together`,
  back: (how, duration) => `${how} after ${duration}`,
  clock: (trusted) =>
    trusted === null
      ? 'The clock was not looked at yet.'
      : trusted
        ? 'The clock can be trusted.'
        : 'The clock cannot be trusted.',
  data: (since, checks, signIn, cloud, saving) =>
    `Data of this service since ${since}: checks ${checks}, sign-in ${signIn}, cloud ${cloud}; data saver ${saving ? 'on' : 'off'}.`,
  traffic: (since, received, sent) => `Traffic of this machine since ${since}: ${received} received, ${sent} sent.`,
  running: (version, duration) => `DuneBugger Remote ${version}, running for ${duration}.`,
  asOf: (time) => `As of ${time}, by the clock of the Pi.`,
  duration: humanDuration,
  number: String,
  time: (atMs, nowMs) => (isSameDay(atMs, nowMs) ? timeOfDay(atMs) : `${isoDay(atMs)} ${timeOfDay(atMs)}`),
};
