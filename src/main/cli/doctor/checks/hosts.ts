/** The hosts that signing in and the cloud need: does each show its certificate? No sign-in is made. */
import { createLookup } from '../../../net/lookup.js';
import { hostsOf, parseHostPort, proxyOf } from '../../../settings.js';
import { connect, type ConnectOptions } from '../../../../workers/net/connect.js';
import { DeadlineError } from '../../../../workers/net/open-address.js';
import { skipBehind } from '../blame.js';
import { fail, pass, skip, warn, AS_ROOT, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** Names, TCP and TLS together, milliseconds. */
const HOST_MS = 3_000;

export class HostsCheck implements Check {
  readonly id = 'hosts';
  readonly area = 'cloud';
  readonly title = 'hosts';

  async run({ configuration, internet, trust, service, signal }: Facts): Promise<Finding> {
    const { settings, hidden } = await configuration();
    if (!settings.websocketEnabled) return skip('websocketEnabled is False');
    const behind = skipBehind('hosts', await internet());
    if (behind !== undefined) return behind;
    const hosts = hostsOf(settings);
    if (hosts.length === 0)
      return hidden.length > 0
        ? skip('this user may not read which ones', AS_ROOT)
        : skip('none with a certificate is named in the settings');
    const { pem } = await trust();
    const lookup = createLookup({ timeoutMs: HOST_MS, nameServers: settings.nameServers });
    const tried = await Promise.all(
      hosts.map((host) => shows(host, { ca: pem, lookup, proxy: proxyOf(settings) }, signal)),
    );
    const bad = tried.find(({ problem }) => problem !== undefined);
    if (bad === undefined) return pass(`${hosts.join(', ')} can be reached, certificate verified`);
    const answer = await service();
    // A connection that lives does without for a day.
    const lives = answer.kind === 'snapshot' && answer.snapshot.cloud?.state === 'connected';
    const trouble = settings.clientUrl === '' ? 'sign-in-unanswered' : 'cloud-failed';
    const words = `${bad.host}: ${bad.problem ?? ''}`;
    return lives ? warn(trouble, `${words}; the connection of the service lives so far`) : fail(trouble, words);
  }
}

interface Tried {
  readonly host: string;
  readonly problem: string | undefined;
}

async function shows(
  host: string,
  { ca, lookup, proxy }: Pick<ConnectOptions, 'lookup' | 'proxy'> & { readonly ca: string },
  outer: AbortSignal,
): Promise<Tried> {
  const parsed = parseHostPort(host);
  if (parsed === undefined) return { host, problem: 'is no host name' };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlineError('time is up')), HOST_MS);
  try {
    const opened = await connect({
      host: parsed.host,
      port: parsed.port ?? 443,
      lookup,
      proxy,
      tls: { ca },
      signal: AbortSignal.any([outer, deadline.signal]),
    });
    if (opened.ok) {
      opened.socket.destroy();
      return { host, problem: undefined };
    }
    const { code } = opened.error as { readonly code?: unknown };
    return { host, problem: `${STEPS[opened.at]} (${typeof code === 'string' ? code : opened.error.message})` };
  } finally {
    clearTimeout(timer);
  }
}

const STEPS = {
  dns: 'its name is not found',
  tcp: 'its address does not answer',
  proxy: 'the proxy opens no way to it',
  tls: 'the TLS handshake fails',
} as const;
