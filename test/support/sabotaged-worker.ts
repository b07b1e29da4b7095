/** The worker's real task, in a thread that can be told to die in the ways threads die. */
import { BroadcastChannel } from 'node:worker_threads';
import run, { type Task } from '../../src/workers/connectivity.js';

/** `exit`: the thread ends. `throw`: nobody catches an error. `spin`: its event loop never turns again. `eat`: it runs out of memory. */
export type Sabotage = 'exit' | 'throw' | 'spin' | 'eat';

export const SABOTAGE_CHANNEL = 'sabotage';

export default async function sabotaged(task: Task): Promise<void> {
  const channel = new BroadcastChannel(SABOTAGE_CHANNEL);
  channel.onmessage = (event) => WAYS[(event as { data: Sabotage }).data]();
  try {
    await run(task);
  } finally {
    channel.close();
  }
}

const WAYS: Readonly<Record<Sabotage, () => void>> = {
  exit: () => process.exit(1),
  throw: () => {
    setImmediate(() => {
      throw new Error('sabotage');
    });
  },
  spin: () => {
    for (;;);
  },
  eat: () => {
    const eaten: unknown[] = [];
    for (;;) eaten.push(Array.from({ length: 10_000 }, (_, i) => `${i} ${Math.random()}`));
  },
};
