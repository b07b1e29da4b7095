/** Core and scheduler of a lab's Pi: they answer heartbeats, core says log lines and takes commands. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { ComponentCalls, ReceivedCommand } from './component.js';
import { serve } from './remote-call.js';

let bus: NatsConnection | undefined;
let timer: NodeJS.Timeout | undefined;
const said: number[] = [];
const commands: ReceivedCommand[] = [];
const clockStatus: boolean[] = [];

function connected(): NatsConnection {
  if (bus === undefined) throw new Error('the components are not on the bus');
  return bus;
}

function publish(subject: string, message: object): void {
  connected().publish(`dunebugger.remote.${subject}`, JSON.stringify({ subject, ...message }));
}

serve({
  async start({ url }) {
    bus = await connect({ servers: url, timeout: 10_000 });
    for (const source of ['core', 'scheduler']) {
      bus.subscribe(`dunebugger.${source}.*`, {
        callback: (_error, { subject, data }) => {
          if (subject.endsWith('.heartbeat')) publish('heartbeat', { body: 'alive', source });
          const text = new TextDecoder().decode(data);
          if (subject.endsWith('scheduler.ntp_status')) {
            const { body } = JSON.parse(text) as { readonly body: { readonly ntp_available: boolean } };
            clockStatus.push(body.ntp_available);
          }
          if (!subject.endsWith('.dunebugger_set')) return;
          const { body } = JSON.parse(text) as { readonly body: { readonly seq: number } };
          commands.push({ seq: body.seq, atMs: Date.now() });
        },
      });
    }
    await bus.flush();
  },
  speak({ everyMs }) {
    timer = setInterval(() => {
      publish('log', { body: { seq: said.length }, source: 'core' });
      said.push(Date.now());
    }, everyMs);
  },
  sayLarge({ bytes }) {
    publish('log', { body: { large: 'x'.repeat(bytes) }, source: 'core' });
  },
  hush() {
    clearInterval(timer);
    return said;
  },
  clockStatus: () => clockStatus,
  commands: () => commands,
} satisfies ComponentCalls);
