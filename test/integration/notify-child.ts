/** Tells systemd what it reads: as started by `with-notify-socket`. `flood N` tells N things, one after another. Its own log goes to the standard output. */
import { createInterface } from 'node:readline';
import { SystemdNotifier } from '../../src/main/systemd.js';

const say = (level: string) => (_fields: object, message: string) =>
  void process.stdout.write(`${level}: ${message}\n`);
const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
const notifier = new SystemdNotifier({ env: process.env, log, program: '/nonexistent', retryMs: 200 });

async function obey(line: string): Promise<void> {
  const [, count] = /^flood (\d+)$/.exec(line) ?? [];
  if (count === undefined) await notifier.ready(line);
  else for (let n = 1; n <= Number(count); n += 1) await notifier.status(`flood ${n} ${'x'.repeat(200)}`);
  process.stdout.write(`done: ${line}\n`);
}

notifier.startWatchdog(() => undefined);
const input = createInterface({ input: process.stdin });
input.on('line', (line) => void obey(line));
input.on('close', () => process.exit());
process.stdout.write(`pid: ${process.pid}\n`);
