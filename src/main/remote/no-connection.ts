/** What stands for the cloud where websocketEnabled is False: nobody is ever there, and the rest need not know. */
import type { RemoteConnection } from './exchange.js';

const nothing = (): void => undefined;

export const NO_CONNECTION: RemoteConnection = {
  send: () => Promise.resolve({ outcome: 'not-connected' }),
  onMessage: () => nothing,
  onJoined: () => nothing,
  onStateChange: () => nothing,
};
