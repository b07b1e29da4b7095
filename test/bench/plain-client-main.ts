/**
 * The official client left to itself, with its own `autoReconnect`: it joins a group and sends to it all the time, if told to. It prints
 * a line when it says of itself that it is connected or not, and one for each message that was acknowledged.
 */
import { WebPubSubClient } from '@azure/web-pubsub-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.js';

const [, , url = '', group = '', speaks = ''] = process.argv;
const EVERY_MS = 500;
const ACK_MS = 2_000;

process.on('SIGTERM', () => process.exit(0));
// It throws from its own timers when a group cannot be joined again; a user would see that, and go on.
process.on('unhandledRejection', (error) => say('unhandled', { error: String(error) }));

const client = new WebPubSubClient(url, { autoReconnect: true, autoRejoinGroups: true });
client.on('connected', () => say('connected'));
client.on('disconnected', () => say('disconnected'));
client.on('stopped', () => say('stopped'));
client.on('rejoin-group-failed', () => say('rejoin-group-failed'));

await client.start();
await client.joinGroup(group);
say('joined');
while (speaks === 'speaks') {
  await client
    .sendToGroup(group, { subject: 'bench' }, 'json', { noEcho: true, abortSignal: AbortSignal.timeout(ACK_MS) })
    .then(
      () => say('acknowledged'),
      () => undefined,
    );
  await sleep(EVERY_MS);
}
