/**
 * Runs an expression in a Node process of which nothing else can be made to misbehave from outside: SIGUSR1 has opened its
 * inspector at 127.0.0.1:9229. `node inspector-main.js main|worker EXPRESSION`; does not wait for the expression's end.
 */
import { setTimeout as delay } from 'node:timers/promises';
import WebSocket from 'ws';

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string };
}

const ENDPOINTS = 'http://127.0.0.1:9229/json/list';
const [, , where = '', expression = ''] = process.argv;

async function debuggerUrl(): Promise<string> {
  for (let round = 0; ; round += 1) {
    try {
      const response = await fetch(ENDPOINTS, { signal: AbortSignal.timeout(5_000) });
      const [target] = (await response.json()) as { readonly webSocketDebuggerUrl: string }[];
      if (target !== undefined) return target.webSocketDebuggerUrl;
    } catch (error) {
      if (round >= 100) throw error;
    }
    await delay(100);
  }
}

const socket = new WebSocket(await debuggerUrl());
const evaluate = (id: number): string =>
  JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression, includeCommandLineAPI: true } });
/** The kernel has taken what was sent. */
const sent = (): void => void setTimeout(() => process.exit(0), 300);

socket.once('open', () => {
  if (where === 'main') socket.send(evaluate(1), sent);
  else socket.send(JSON.stringify({ id: 1, method: 'NodeWorker.enable', params: { waitForDebuggerOnStart: false } }));
});
// Of the first thread only: the one that replaces it is attached to as well, and while it starts no expression may end it.
let attached = false;
socket.on('message', (data: Buffer) => {
  const { method, params } = JSON.parse(data.toString('utf8')) as Message;
  if (method !== 'NodeWorker.attachedToWorker' || attached) return;
  attached = true;
  const message = evaluate(1);
  socket.send(
    JSON.stringify({
      id: 2,
      method: 'NodeWorker.sendMessageToWorker',
      params: { sessionId: params?.sessionId, message },
    }),
    sent,
  );
});
setTimeout(() => {
  process.stderr.write(`no ${where} to evaluate in\n`);
  process.exit(1);
}, 20_000);
