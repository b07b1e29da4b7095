/**
 * A process of its own: brings a session into the state of its argument, disposes of it, and has nothing more to do. At its end it tells
 * for how long it was still held, in milliseconds; measured here, since who started it may hear of it late.
 */
import { writeSync } from 'node:fs';
import { WebPubSubClient } from '@azure/web-pubsub-client';
import { BareServer } from './web-pubsub-bare-server.js';
import { Fixture, eventually } from './web-pubsub-fixture.js';

const state = process.argv[2] ?? '';
const server = await BareServer.start();
const fixture = new Fixture(server.url);
let sinceMs = 0;

switch (state) {
  case 'bare-keep-alive':
  case 'bare-throws': {
    const client = new WebPubSubClient(server.url, {
      autoReconnect: false,
      keepAliveIntervalInMs: 2_500,
      keepAliveTimeoutInMs: 0,
    });
    client.on('disconnected', () => {
      if (state === 'bare-throws') throw new Error('thrown by a listener');
    });
    // The client's timer is set in here, so that it cannot have been running before.
    sinceMs = performance.now();
    await client.start();
    client.stop();
    break;
  }
  case 'connecting': {
    server.script = { refuse: () => true };
    const opening = fixture.open().catch(() => undefined);
    await eventually(() => server.requests.length === 1);
    fixture.abort.abort();
    await opening;
    break;
  }
  default: {
    const session = await fixture.open();
    void session.send('in flight', 60_000);
    if (state === 'recovering') {
      server.script = { refuse: () => ({ status: 503 }) };
      server.drop();
      await eventually(() => server.requests.length >= 3);
    }
    if (state === 'suspended') session.suspend();
    if (state === 'ended') {
      server.kept.ws?.close(1008);
      await fixture.until(() => fixture.count('ended') === 1);
    }
    await session.dispose();
  }
}
if (sinceMs === 0) sinceMs = performance.now();
process.once('exit', () => writeSync(1, `held ${performance.now() - sinceMs}\n`));
server.drop();
server.http.close();
