/** The tables of `npm run fleet`. */
import type { Bound } from './bounds.js';
import type { Figures } from './figures.js';
import type { Scenario } from './scenario.js';

export interface Kept {
  readonly bound: Bound;
  readonly value: number;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
const secs = (value: number | null): string => (value === null ? 'not within the run' : `${whole(value)} s`);
const HEAD = ['client', 'peak a second', 'recoveries, peak', 'half in', '90 % in', 'last in', 'attempts', 'sign-ins'];

function rows(figures: readonly Figures[]): string[][] {
  return figures.map((one) => [
    one.client,
    whole(one.peakPerSec),
    whole(one.peakRecoveriesPerSec),
    secs(one.halfInSecs),
    secs(one.ninetyInSecs),
    secs(one.lastInSecs),
    one.attempts.toFixed(1),
    whole(one.signIns),
  ]);
}

function boundRows(kept: readonly Kept[], devices: number): string[][] {
  return kept.map(({ bound, value }) => {
    const most = bound.perDevice ? (bound.most * devices) / 100_000 : bound.most;
    const digits = value < 100 && !Number.isInteger(value) ? value.toFixed(2) : whole(value);
    return [bound.scenario, bound.what, digits, most < 10 ? String(most) : whole(most), value <= most ? 'yes' : 'NO'];
  });
}

const BOUNDS_HEAD = ['scenario', 'what', 'is', 'at most', 'kept'];

export function scenarioTable(figures: readonly Figures[]): string {
  return plain([HEAD, ...rows(figures)]);
}

export function boundsTable(kept: readonly Kept[], devices: number): string {
  return plain([BOUNDS_HEAD, ...boundRows(kept, devices)]);
}

function plain(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

function markdown([head = [], ...lines]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

export function document(
  results: readonly { readonly scenario: Scenario; readonly figures: readonly Figures[] }[],
  kept: readonly Kept[],
  devices: number,
  seed: number,
): string {
  const sections = results.map(({ scenario, figures }) =>
    [
      `## ${scenario.title}`,
      markdown([HEAD, ...rows(figures)]),
      `![arrivals a second](fleet-${scenario.name}.svg)`,
    ].join('\n\n'),
  );
  return `# A fleet of ${devices.toLocaleString('en')}

Made by \`npm run fleet\` (seed ${seed}): a simulation of what so many devices do to one cloud, over the connection machine that is shipped, its backoff,
its pacing of sign-ins and the default settings. Beside it clients that retry by a rule. Arrivals are attempts when they reach the
cloud; a recovery resumes a session that the service may still know, within the 30 s that it promises. Times begin with the return.

${markdown([BOUNDS_HEAD, ...boundRows(kept, devices)])}

${sections.join('\n\n')}
`;
}

export interface Side {
  /** In one second of the policy as it is shipped. */
  readonly peakPerSec: number;
  readonly halfInSecs: number | null;
  readonly ninetyInSecs: number | null;
  readonly lastInSecs: number | null;
  readonly attempts: number;
}

export interface RealRun {
  readonly scenario: string;
  readonly real: Side;
  readonly simulated: Side;
}

export function realDocument(runs: readonly RealRun[], devices: number, haste: number): string {
  const row = (name: string, side: Side): string[] => [
    name,
    side.peakPerSec.toFixed(1),
    secs(side.halfInSecs),
    secs(side.ninetyInSecs),
    secs(side.lastInSecs),
    side.attempts.toFixed(1),
  ];
  const head = ['', 'peak a second', 'half in', '90 % in', 'last in', 'attempts'];
  const sections = runs.map(({ scenario, real, simulated }) => {
    const table = markdown([head, row('over real sockets', real), row('simulated', simulated)]);
    return `## ${scenario}\n\n${table}\n\n![arrivals a second](fleet-real-${scenario}.svg)`;
  });
  return `# ${devices} real ones

Made by \`npm run fleet:real\`: ${devices} times the daemon's connection parts in one process against the local cloud, with every time of the policy divided by
${haste}; the figures are in the time of the policy as it is shipped, so latencies count ${haste} times. Beside it the mean of twenty simulated fleets of the same size.

${sections.join('\n\n')}
`;
}
