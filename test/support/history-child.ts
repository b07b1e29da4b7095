/**
 * A process of its own: writes event after event into the history of the folder that it is given, and says the number of each as
 * soon as it has been told that the event is on the card. Lines of its log go to standard error. Somebody ends it at a random moment.
 */
import { systemClock } from '../../src/main/base/clock.js';
import { History } from '../../src/main/observe/history/history.js';

const [directory = ''] = process.argv.slice(2);
const say = (_fields: object, message: string): void => void process.stderr.write(`${message}\n`);
let nowMs = 0;
const history = new History({
  directory,
  version: '1.0.0',
  log: { debug: () => undefined, info: say, warn: say, error: say },
  // Time flies, so that the card's daily ration is always there, and ten minutes are soon over.
  clock: {
    ...systemClock,
    nowMs: () => (nowMs += 900_000),
    setTimer: (fn, ms) => systemClock.setTimer(fn, ms / 1_000),
  },
});
await history.start();
// Whatever was there before; what follows is this process's own.
for (let by = 1; ; by += 1) {
  // Several at once now and then, as events come.
  const several = Array.from({ length: 1 + (by % 3) }, (_, index) =>
    history.note({ kind: 'clock-set', by: by * 10 + index }),
  );
  await Promise.all(several);
  process.stdout.write(`${several.map((_, index) => by * 10 + index).join(' ')}\n`);
}
