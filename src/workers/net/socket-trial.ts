/** Would this machine give us a socket at all? Asked where an answer is otherwise ambiguous; sends no packet. */
import { isIP } from 'node:net';
import { OUT_THERE, chooseRoute } from './chosen-route.js';
import { refusalOf } from './refusal.js';

/**
 * The code with which this machine refuses datagram sockets of the families of `servers` (`address` or `address:port`), if it refuses all
 * of them; undefined if it gives one. Never rejects.
 */
export async function whySocketsAreRefused(servers: readonly string[]): Promise<string | undefined> {
  const families = new Set(servers.map((server) => (isIP(server) === 6 || server.startsWith('[') ? 6 : 4)));
  const answers = await Promise.all([...families].map(trySocket));
  return answers.length > 0 && answers.every((answer) => answer !== undefined) ? answers[0] : undefined;
}

async function trySocket(family: 4 | 6): Promise<string | undefined> {
  const route = await chooseRoute(family, OUT_THERE[family], 53);
  return route.kind === 'failed' ? refusalOf(route.error) : undefined;
}
