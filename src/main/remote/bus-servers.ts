/** `mQueueServers`, read: where the bus is, and with which credentials. Pure. */

export interface BusServer {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** Without credentials, for the log. */
  readonly name: string;
}

/** Port of NATS where none is given. */
const DEFAULT_PORT = 4222;

/**
 * Reads `nats://host:port`, `tls://host`, `host:port`, `nats://user:password@host`, `nats://token@host`.
 * Undefined: not a server of NATS.
 */
export function parseBusServer(text: string): BusServer | undefined {
  const trimmed = text.trim();
  const scheme = /^([a-z]+):\/\//i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'nats' && scheme !== 'tls') return undefined;
  const rest = scheme === undefined ? trimmed : trimmed.slice(scheme.length + 3);
  // A scheme that URL knows, so that it checks host and port; ftp's default port is nobody's here.
  const url = parseUrl(`ftp://${rest}`);
  if (url === undefined || url.hostname === '' || (url.pathname !== '' && url.pathname !== '/')) return undefined;
  const explicitPort = /:(\d+)\/?$/.exec(rest.slice(rest.lastIndexOf('@') + 1).replace(/^\[.*\]/, ''))?.[1];
  const port = explicitPort === undefined ? DEFAULT_PORT : Number(explicitPort);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const tls = scheme === 'tls';
  const name = `${tls ? 'tls' : 'nats'}://${url.hostname}:${port}`;
  const user = decoded(url.username);
  const pass = decoded(url.password);
  if (user === '') return { host, port, tls, name };
  return pass === '' ? { host, port, tls, name, token: user } : { host, port, tls, name, user, pass };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** A password may hold a bare `%`. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
