/**
 * Has a proxy open a tunnel to a host (CONNECT; RFC 9110, 9.3.6). Never rejects. It has no deadline of its own: it ends when its socket does.
 *
 * Not by `node:http`: that takes an interim answer (1xx) for the answer. Not by an agent for proxies: those do not tell how far they got, and
 * read a head without an end.
 */
import { connectionCodeOf } from './error-code.js';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Proxy } from '../protocol.js';
import { isInterim, readHead } from './http-head.js';
import { ProxyError, schemesOf, troubleOfStatus, troubleOfTls } from './proxy-answers.js';

export interface TunnelOptions {
  /** TCP to the proxy. */
  readonly tcp: Socket;
  readonly proxy: Proxy;
  /** Name or IP literal (without brackets): a name is left to the proxy. */
  readonly host: string;
  readonly port: number;
  /** Whose word on the proxy's own certificate counts; undefined: that of Node's. */
  readonly context: SecureContext | undefined;
}

export type Tunnel =
  /** What is read from it is the host's, from the first byte on. */
  { readonly ok: true; readonly socket: Socket } | { readonly ok: false; readonly error: Error };

export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const { tcp, proxy } = options;
  if (!proxy.secure) return ask(tcp, options);
  const secured = await secure(options);
  return secured.ok ? ask(secured.socket, options) : secured;
}

function secure({ tcp, proxy, context }: TunnelOptions): Promise<Tunnel> {
  return new Promise((resolve) => {
    const socket = connectTls({
      socket: tcp,
      host: proxy.host,
      ...(isIP(proxy.host) === 0 ? { servername: proxy.host } : {}),
      ...(context === undefined ? {} : { secureContext: context }),
      ALPNProtocols: ['http/1.1'],
      // Said by ourselves: NODE_TLS_REJECT_UNAUTHORIZED would change the default.
      rejectUnauthorized: true,
    });
    const fail = (code: string): void =>
      resolve({
        ok: false,
        error: new ProxyError(code, troubleOfTls(code), `the TLS handshake with the proxy fails (${code})`),
      });
    // Also for what comes after the end.
    socket.on('error', (error) => fail(connectionCodeOf(error)));
    socket.on('close', () => fail('ECONNRESET'));
    socket.on('secureConnect', () => resolve({ ok: true, socket }));
  });
}

function ask(socket: Socket, { proxy, host, port }: TunnelOptions): Promise<Tunnel> {
  return new Promise((resolve) => {
    let come = Buffer.alloc(0);
    const settle = (tunnel: Tunnel): void => {
      socket.off('readable', onReadable);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      socket.off('error', fail);
      resolve(tunnel);
    };
    const fail = (error: Error): void => settle({ ok: false, error });
    const onEnd = (): void => fail(new ProxyError('ECONNRESET', 'closes', 'the proxy closed the connection'));
    // Not by 'data': who takes the socket over would find it flowing, or paused for good.
    const onReadable = (): void => {
      for (let chunk: unknown; (chunk = socket.read()) !== null;) come = Buffer.concat([come, chunk as Buffer]);
      // Interim answers may come before it, one after the other.
      for (;;) {
        const head = readHead(come);
        if (head === 'incomplete') return;
        if (head === 'no-http') {
          fail(new ProxyError('PROXY_NO_HTTP', 'no-proxy', 'what the proxy answers is not HTTP'));
          return;
        }
        come = come.subarray(head.length);
        if (isInterim(head)) continue;
        const trouble = troubleOfStatus(head.status, schemesOf(head), proxy.authorization !== undefined);
        if (trouble !== undefined) {
          fail(new ProxyError(`PROXY_${head.status}`, trouble, `the proxy answers ${head.status}`));
          return;
        }
        settle({ ok: true, socket });
        if (come.length > 0) socket.unshift(come);
        return;
      }
    };
    socket.on('error', fail);
    socket.on('end', onEnd);
    socket.on('close', onEnd);
    socket.on('readable', onReadable);
    const name = isIP(host) === 6 ? `[${host}]` : host;
    const login = proxy.authorization === undefined ? [] : [`Proxy-Authorization: ${proxy.authorization}`];
    const lines = [`CONNECT ${name}:${port} HTTP/1.1`, `Host: ${name}:${port}`, ...login, '', ''];
    socket.write(lines.join('\r\n'));
  });
}
