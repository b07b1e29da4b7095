/** The watch over the system clock, made from the settings. It is wanted without the cloud, too. */
import { Kernel } from './clock/kernel.js';
import { askSntp } from './clock/sntp.js';
import { ClockWatch } from './clock/watch.js';
import type { Logger } from './log.js';
import { createLocalLookup } from './net/local-lookup.js';
import { parseHostPort, type Settings } from './settings.js';

/** Deadline of a server's name, milliseconds; the server's own deadline covers both. */
const LOOKUP_MS = 2_000;

export function createClockWatch(settings: Settings, log: Logger): ClockWatch {
  const servers = settings.ntpServers.flatMap((text) => parseHostPort(text) ?? []);
  const lookup = createLocalLookup({ timeoutMs: LOOKUP_MS });
  const everyMs = settings.ntpCheckIntervalSecs * 1_000;
  const kernel = new Kernel({ everyMs });
  return new ClockWatch({
    askKernel: (asking) => kernel.ask(asking),
    askServers: (signal) => askSntp({ servers, timeoutMs: settings.ntpTimeout * 1_000, lookup, signal }),
    everyMs,
    log,
  });
}
