/**
 * Metrics, out of the snapshot: as OpenMetrics 1.0.0, or in the older text format of Prometheus (0.0.4), which is all that a textfile
 * collector reads. Pure. Names and units are those of the two documents: base units, `_total` for what only grows.
 */
import type { Story } from './history/outages.js';
import { uptimeOf } from './history/uptime.js';
import type { CheckTotals } from './quality.js';
import type { Snapshot } from './snapshot.js';

export type MetricsFormat = 'openmetrics' | 'text';

export const METRICS_TYPES: Readonly<Record<MetricsFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  text: 'text/plain; version=0.0.4; charset=utf-8',
};

export interface Measured {
  /** Undefined while nothing runs. */
  readonly snapshot: Snapshot | undefined;
  readonly totals: CheckTotals;
  /** Of the last 31 days. */
  readonly story: Story;
}

interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** `sum` and `count` of a summary. */
  readonly suffix?: '_sum' | '_count';
}

interface Family {
  /** Without `_total`, `_info`. */
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info' | 'summary';
  readonly unit?: 'seconds' | 'bytes' | 'ratio' | 'celsius';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const PREFIX = 'dunebugger_remote_';

const USES = [
  ['checks', 'checks'],
  ['signIn', 'sign-in'],
  ['cloud', 'cloud'],
] as const;

/** By `Accept`: a server of Prometheus names the formats it reads; whoever names none gets OpenMetrics. */
export function formatFor(accept: string | undefined): MetricsFormat {
  return accept?.includes('text/plain') === true && !accept.includes('application/openmetrics-text')
    ? 'text'
    : 'openmetrics';
}

export function metricsText(measured: Measured, format: MetricsFormat): string {
  const lines = familiesOf(measured)
    .filter(({ samples }) => samples.length > 0)
    .flatMap((family) => familyLines(family, format));
  return `${[...lines, ...(format === 'openmetrics' ? ['# EOF'] : [])].join('\n')}\n`;
}

/** What a scrape finds where no service answers. */
export function nobodyAnswers(): string {
  return `${familyLines(up(0), 'text').join('\n')}\n`;
}

function up(value: number): Family {
  return { name: 'up', type: 'gauge', help: 'The service answers.', samples: [{ value }] };
}

function familiesOf({ snapshot, totals, story }: Measured): readonly Family[] {
  if (snapshot === undefined) return [up(1)];
  const { daemon, internet, cloud, bus, components, clock, data, machine, lastHour, troubles, takenAtMs } = snapshot;
  const [link, traffic] = [machine?.interface ?? null, machine?.traffic ?? null];
  const windows = [1, 7, 30].map((days) => ({ window: `${days}d`, uptime: uptimeOf(story, days, takenAtMs) }));
  const present = [troubles.first, ...troubles.beside].flatMap((trouble) => (trouble === null ? [] : [trouble.code]));
  return [
    up(1),
    {
      name: 'build',
      type: 'info',
      help: 'The version of the service.',
      samples: [{ value: 1, labels: { version: daemon.version } }],
    },
    gauge('start_time_seconds', 'When the service started, seconds since 1970.', daemon.startedAtMs / 1_000, 'seconds'),
    gauge(
      'internet_up',
      'The internet is there: 1, or not: 0; absent before the first verdict.',
      internet === null || internet.verdict === 'unknown' ? null : Number(internet.verdict === 'online'),
    ),
    gauge('internet_since_seconds', 'Since when, seconds since 1970.', seconds(internet?.sinceMs), 'seconds'),
    gauge('cloud_up', 'The cloud connection stands.', cloud === null ? null : Number(cloud.state === 'connected')),
    gauge(
      'cloud_since_seconds',
      'Since when it is in its state, seconds since 1970.',
      seconds(cloud?.sinceMs),
      'seconds',
    ),
    gauge('bus_up', 'The bus is there.', bus === 'off' ? null : Number(bus === 'up')),
    {
      name: 'component_up',
      type: 'gauge',
      help: 'A component responds.',
      samples: components.flatMap(({ name, state }) =>
        state === 'unknown' || bus === 'off'
          ? []
          : [{ value: Number(state === 'running'), labels: { component: name === 'dunebugger' ? 'core' : name } }],
      ),
    },
    gauge('clock_trusted', 'A time server has set the clock.', flag(clock.trusted)),
    {
      name: 'trouble',
      type: 'gauge',
      help: 'What is wrong now, by its code in the table of troubles.',
      samples: present.map((code) => ({ value: 1, labels: { code } })),
    },
    counter('checks', 'Checks of the internet.', totals.checks),
    counter('checks_failed', 'Those that failed.', totals.failed),
    {
      name: 'check_latency_seconds',
      type: 'summary',
      unit: 'seconds',
      help: 'From the request of a check that passed to its answer.',
      samples: [
        { suffix: '_sum', value: totals.latencyMs / 1_000 },
        { suffix: '_count', value: totals.timed },
      ],
    },
    gauge('latency_max_seconds', 'The slowest check of the last hour.', seconds(lastHour?.latencyMs?.max), 'seconds'),
    gauge(
      'jitter_seconds',
      'Mean difference between two checks in a row, last hour.',
      seconds(lastHour?.jitterMs),
      'seconds',
    ),
    {
      name: 'internet_uptime_ratio',
      type: 'gauge',
      unit: 'ratio',
      help: 'Of the time in which the service ran.',
      samples: windows.flatMap(({ window, uptime: { percent } }) =>
        percent === null ? [] : [{ value: percent / 100, labels: { window } }],
      ),
    },
    {
      name: 'internet_outages',
      type: 'gauge',
      help: 'Outages of the internet within a time.',
      samples: windows.map(({ window, uptime: { outages } }) => ({ value: outages, labels: { window } })),
    },
    ...(['received', 'sent'] as const).map((way): Family => ({
      name: `data_${way}_bytes`,
      type: 'counter',
      unit: 'bytes',
      help: `Bytes that this service has ${way} over TCP, without the headers of the packets, by what they were for.`,
      samples: USES.flatMap(([use, label]) =>
        data === null ? [] : [{ value: data.whole[use][`${way}Bytes`], labels: { use: label } }],
      ),
    })),
    gauge('data_saver', 'Bytes are saved, since the line is metered.', flag(data?.dataSaver)),
    ...(['received', 'sent'] as const).map((way): Family => ({
      name: `network_${way}_bytes`,
      type: 'counter',
      unit: 'bytes',
      help: `Bytes that this machine has ${way} over the interface of its default route, all programs.`,
      samples:
        traffic === null || link === null ? [] : [{ value: traffic[`${way}Bytes`], labels: { interface: link.name } }],
    })),
    gauge('wifi_signal_dbm', 'Strength of the Wi-Fi signal.', link?.signalDbm ?? null),
    gauge('temperature_celsius', 'Of the processor.', machine?.temperatureC ?? null, 'celsius'),
    gauge('under_voltage', 'The power supply is too weak.', flag(machine?.underVoltage)),
  ];
}

function gauge(name: string, help: string, value: number | null, unit?: Family['unit']): Family {
  const samples = value === null ? [] : [{ value }];
  return { name, type: 'gauge', help, samples, ...(unit === undefined ? {} : { unit }) };
}

function flag(value: boolean | null | undefined): number | null {
  return typeof value === 'boolean' ? Number(value) : null;
}

function counter(name: string, help: string, value: number): Family {
  return { name, type: 'counter', help, samples: [{ value }] };
}

function seconds(ms: number | null | undefined): number | null {
  return typeof ms === 'number' ? ms / 1_000 : null;
}

/** The older format has no info and no unit, and names a counter as its sample. */
function familyLines({ name, type, unit, help, samples }: Family, format: MetricsFormat): readonly string[] {
  const suffix = type === 'counter' ? '_total' : type === 'info' ? '_info' : '';
  const modern = format === 'openmetrics';
  const family = `${PREFIX}${name}${modern ? '' : suffix}`;
  return [
    `# TYPE ${family} ${!modern && type === 'info' ? 'gauge' : type}`,
    ...(modern && unit !== undefined ? [`# UNIT ${family} ${unit}`] : []),
    `# HELP ${family} ${help}`,
    ...samples.map((sample) => `${PREFIX}${name}${sample.suffix ?? suffix}${labelsOf(sample)} ${sample.value}`),
  ];
}

function labelsOf({ labels = {} }: Sample): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
