/** The exchange between stand-ins of cloud and bus. */
import { Exchange } from '../../src/main/remote/exchange.js';
import type { ExchangeDependencies, RemoteSettings } from '../../src/main/remote/exchange-options.js';
import { FakeBus, FakeConnection } from './fake-cloud.js';
import { RecordedLog } from './recorded-log.js';
import { SteppedClock } from './stepped-clock.js';

export const EXCHANGE_SETTINGS: RemoteSettings = {
  broadcastInitialState: true,
  heartBeatEverySecs: 60,
  heartBeatLoopDurationSecs: 300,
};

export interface StartedExchange {
  readonly exchange: Exchange;
  readonly cloud: FakeConnection;
  /** Not the exchange's where that has none. */
  readonly bus: FakeBus;
  readonly log: RecordedLog;
  readonly clock: SteppedClock;
}

type More = Partial<Omit<ExchangeDependencies, 'connection' | 'bus' | 'log' | 'clock' | 'settings'>> & {
  readonly settings?: Partial<RemoteSettings>;
  /** Default true. */
  readonly hasBus?: boolean;
};

/** Started, with neither cloud nor bus connected. */
export function startExchange({ settings, hasBus = true, ...more }: More = {}): StartedExchange {
  const cloud = new FakeConnection();
  const bus = new FakeBus();
  const log = new RecordedLog();
  const clock = new SteppedClock();
  const exchange = new Exchange({
    connection: cloud,
    bus: hasBus ? bus : undefined,
    collectSystemInfo: () => Promise.resolve('info'),
    describeComponents: () => Promise.resolve([]),
    ...more,
    settings: { ...EXCHANGE_SETTINGS, ...settings },
    log,
    clock,
  });
  exchange.start();
  return { exchange, cloud, bus, log, clock };
}
