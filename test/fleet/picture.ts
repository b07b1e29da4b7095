/** Arrivals a second as a picture: one line a client, both axes logarithmic, since they reach from one to a hundred thousand. */
import type { Figures } from './figures.js';

const WIDTH = 900;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 250;
const TOP = 50;
const BOTTOM = 50;
const COLOURS = ['#c02020', '#888888', '#2060c0', '#208040', '#a06000', '#7030a0'];
const POINTS = 240;

export interface Curve {
  readonly name: string;
  /** By second. */
  readonly perSec: readonly number[];
}

export function pictureOf(title: string, curves: readonly Curve[]): string {
  const lastSec = Math.max(10, ...curves.map(({ perSec }) => perSec.findLastIndex((value) => value > 0) + 1));
  const most = Math.max(10, ...curves.map(({ perSec }) => perSec.reduce((peak, value) => Math.max(peak, value), 0)));
  const decades = Math.ceil(Math.log10(most));
  const x = (sec: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * Math.log10(sec + 1)) / Math.log10(lastSec + 1);
  const y = (value: number): number =>
    HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * Math.log10(Math.max(1, value))) / decades;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    `<text x="${LEFT}" y="24" font-size="15">${escaped(title)}: arrivals a second</text>`,
  ];
  for (let decade = 0; decade <= decades; decade += 1) {
    const at = y(10 ** decade).toFixed(1);
    parts.push(`<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#ddd"/>`);
    parts.push(
      `<text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${(10 ** decade).toLocaleString('en')}</text>`,
    );
  }
  for (const sec of [0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000].filter((value) => value <= lastSec)) {
    parts.push(`<text x="${x(sec).toFixed(1)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${sec} s</text>`);
  }
  curves.forEach(({ name, perSec }, n) => {
    const colour = COLOURS[n % COLOURS.length]!;
    const points = thinned(perSec.slice(0, lastSec), lastSec).map(
      ([sec, value]) => `${x(sec).toFixed(1)},${y(value).toFixed(1)}`,
    );
    parts.push(
      `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="${n === 0 ? 2.5 : 1.2}"/>`,
      `<text x="${WIDTH - RIGHT + 14}" y="${TOP + 20 * n + 10}" fill="${colour}">${escaped(name)}</text>`,
    );
  });
  return `${parts.join('\n')}\n</svg>\n`;
}

export function curvesOf(figures: readonly Figures[]): Curve[] {
  return figures.map(({ client, arrivals }) => ({ name: client, perSec: arrivals }));
}

/** Of each interval of the logarithmic axis its highest second, so that no peak is lost. */
function thinned(perSec: readonly number[], lastSec: number): [number, number][] {
  const points: [number, number][] = [];
  let bin = -1;
  perSec.forEach((value, sec) => {
    const its = Math.floor((POINTS * Math.log10(sec + 1)) / Math.log10(lastSec + 1));
    const last = points.at(-1);
    if (its !== bin || last === undefined) points.push([sec, value]);
    else if (value > last[1]) points[points.length - 1] = [sec, value];
    bin = its;
  });
  return points;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
