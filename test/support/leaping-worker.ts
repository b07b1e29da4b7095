/** A worker whose clock is set by six years during an outage: it tells offline, then online, and nothing else. */
import type { MessagePort } from 'node:worker_threads';
import type { CheckEvidence, FromWorker, ToWorker, VerdictState, WorkerTask } from '../../src/workers/protocol.js';

const BEFORE_MS = Date.UTC(2019, 0, 1);
const AFTER_MS = Date.UTC(2025, 0, 1);
/** As after an outage of nearly six minutes, where bytes are saved. */
const LOOK_AGAIN_MS = 34_567;

export default function leap({ port }: WorkerTask<MessagePort>): Promise<void> {
  const post = (message: FromWorker): void => port.postMessage(message);
  const tell = (checkId: number, state: VerdictState): void => {
    const ok = state.verdict === 'online';
    const evidence: CheckEvidence = {
      checkId,
      trigger: 'interval',
      startedAtMs: state.sinceMs,
      ms: 1,
      ok,
      https: [],
      ...(state.reason === undefined ? {} : { reason: state.reason }),
    };
    post({
      kind: 'checked',
      evidence,
      state,
      answers: [],
      carried: { received: 0, sent: 0 },
      lookAgainMs: LOOK_AGAIN_MS,
    });
    post({ kind: 'changed', evidence, state });
  };
  return new Promise((resolve) => {
    port.on('message', (message: ToWorker) => {
      if (message.kind !== 'stop') return;
      port.close();
      resolve();
    });
    post({ kind: 'begun' });
    tell(1, { verdict: 'offline', reason: 'dns-timeout', sinceMs: BEFORE_MS });
    tell(2, { verdict: 'online', sinceMs: AFTER_MS });
  });
}
