/** The pictures of the page, as SVG in the HTML. Pure. Colours and shapes come from the style sheet's classes. */
import type { Hour } from '../history/outages.js';
import type { Quality } from '../quality.js';
import { html, type Html } from './html.js';
import type { Bucket } from './strips.js';
import { timeOfDay } from './times.js';
import type { Words } from './words.js';

const STRIP_HEIGHT = 24;
/** Not the colour alone says what is the matter: an outage is the whole height, what nobody saw is a thin line. */
const HEIGHTS = { away: 24, cloud: 18, fine: 12, unseen: 2 } as const;

/** `label` says the same as the picture; `name` names a bucket's time. */
export function strip(buckets: readonly Bucket[], label: string, words: Words, name: (bucket: Bucket) => string): Html {
  const step = 10;
  const bars = buckets.map((bucket, index) => {
    const height = HEIGHTS[bucket.state];
    const away = bucket.state === 'away' ? `, ${words.duration(bucket.awayMs)}` : '';
    return html`<rect
      class="${bucket.state}"
      x="${index * step}"
      y="${STRIP_HEIGHT - height}"
      width="${step - 2}"
      height="${height}"
      ><title>${name(bucket)}: ${words.bucket[bucket.state]}${away}</title></rect
    >`;
  });
  return html`<svg
    class="strip"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${buckets.length * step} ${STRIP_HEIGHT}"
    preserveAspectRatio="none"
  >
    ${bars}
  </svg>`;
}

const WIDTH = 360;
const HEIGHT = 110;
const TOP = 8;
const LEFT = 50;
const BOTTOM = 16;
const DAY_MS = 86_400_000;
const STEPS = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];

interface Point {
  readonly atMs: number;
  readonly mean: number;
  readonly max: number;
}

/** Mean and maximum of each hour, and of the last one up to now; null where there is not one. */
export function latencyChart(
  {
    hours,
    lastHour,
    nowMs,
  }: { readonly hours: readonly Hour[]; readonly lastHour: Quality | null; readonly nowMs: number },
  words: Words,
): Html | null {
  const points: Point[] = hours
    .filter(({ atMs }) => atMs > nowMs - DAY_MS && atMs <= nowMs)
    .flatMap(({ atMs, latencyMs }) => (latencyMs === null ? [] : [{ atMs, mean: latencyMs.mean, max: latencyMs.max }]));
  const { latencyMs = null } = lastHour ?? {};
  if (latencyMs !== null) points.push({ atMs: nowMs, mean: latencyMs.mean, max: latencyMs.max });
  if (points.length === 0) return null;
  const most = Math.max(...points.map(({ max }) => max));
  const top = STEPS.find((step) => step >= most) ?? most;
  const x = (atMs: number): number => round(LEFT + ((atMs - nowMs + DAY_MS) / DAY_MS) * (WIDTH - LEFT - 6));
  const y = (ms: number): number => round((HEIGHT - BOTTOM - TOP) * (1 - ms / top) + TOP);
  const dots = (of: 'mean' | 'max'): Html[] =>
    points.map(
      (point) =>
        html`<circle class="${of}" cx="${x(point.atMs)}" cy="${y(point[of])}" r="2.5"
          ><title>
            ${timeOfDay(point.atMs)}: ${of === 'mean' ? words.mean : words.most} ${words.number(point[of])} ms
          </title></circle
        >`,
    );
  const line = (of: 'mean' | 'max'): string => points.map((point) => `${x(point.atMs)},${y(point[of])}`).join(' ');
  const marks = [0, 6, 12, 18, 24].map((hour) => nowMs - DAY_MS + hour * 3_600_000);
  const label = `${words.headings.latency}: ${words.most} ${words.number(most)} ms`;
  return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
    <path class="axis" d="M${LEFT} ${y(top)}H${WIDTH}M${LEFT} ${y(top / 2)}H${WIDTH}M${LEFT} ${y(0)}H${WIDTH}" />
    ${[top, top / 2, 0].map((ms) => html`<text class="y" x="${LEFT - 5}" y="${y(ms) + 4}">${words.number(ms)} ms</text>`)}${marks.map((atMs) => html`<text class="x" x="${x(atMs)}" y="${HEIGHT - 3}">${timeOfDay(atMs)}</text>`)}
    <polyline class="max" points="${line('max')}" />
    <polyline class="mean" points="${line('mean')}" />
    ${dots('max')}${dots('mean')}
  </svg>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
