/** The way of a WebSocket to its server: addresses raced through TCP and TLS, in place of Node's own attempts, which end at TCP. */
import type { ClientRequestArgs } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import type { ProxySettings } from '../../../workers/protocol.js';
import { connect, type Opened } from '../../../workers/net/connect.js';

export interface SocketOptions {
  readonly lookup: LookupFunction;
  /** Undefined: straight to its address. */
  readonly proxy?: ProxySettings | undefined;
  /** PEM certificates to trust; undefined: Node's. */
  readonly ca?: string | undefined;
  readonly signal: AbortSignal;
  /** TCP and TLS are done. */
  readonly onOpened?: (opened: Opened) => void;
}

/** The `createConnection` of `ws`. */
export function createConnection(
  url: string,
  { lookup, proxy, ca, signal, onOpened }: SocketOptions,
): NonNullable<ClientRequestArgs['createConnection']> {
  return (_options, oncreate) => {
    const { protocol, hostname, port } = new URL(url);
    const secure = protocol === 'wss:' || protocol === 'https:';
    void connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || (secure ? 443 : 80)),
      lookup,
      proxy,
      use: 'cloud',
      ...(secure ? { tls: ca === undefined ? {} : { ca } } : {}),
      signal,
    }).then((connected) => {
      if (connected.ok && signal.aborted) connected.socket.destroy();
      if (connected.ok) {
        onOpened?.(connected);
        oncreate(null, connected.socket);
      } else oncreate(connected.error, undefined as unknown as Socket);
    });
    return undefined;
  };
}
