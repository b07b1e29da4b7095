import type http from 'node:http';
import { RELIABLE_SUBPROTOCOL, SIMPLE_SUBPROTOCOL, type Subprotocol } from './frames.js';
import { PubSubSession, type SessionStore } from './sessions.js';
import { verifyToken } from './tokens.js';

/** What is decided over an upgrade request. `gone` is upgraded, too, only to be closed with 1008. */
export type Admission =
  | { readonly kind: 'connected' | 'recovered'; readonly session: PubSubSession }
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly status: number; readonly message: string };

/** What the service knows when it decides. */
export interface Gatekeeping {
  readonly hubs: readonly string[];
  readonly key: string;
  readonly audience: (hub: string) => string;
  readonly sessions: SessionStore;
}

/** Decides over an upgrade request by its path, subprotocol, token or recovery. */
export function admit(request: http.IncomingMessage, { hubs, key, audience, sessions }: Gatekeeping): Admission {
  const url = new URL(request.url ?? '/', 'http://service');
  const hub = /^\/client\/hubs\/([^/]+)$/.exec(url.pathname)?.[1];
  if (hub === undefined || !hubs.includes(hub)) return refused(404, 'The hub is not known.');
  const subprotocol = chooseSubprotocol(offeredSubprotocols(request));
  if (subprotocol === false) return refused(400, 'None of the subprotocols is supported.');
  const connectionId = url.searchParams.get('awps_connection_id');
  if (connectionId !== null) {
    // The reconnection token stands in for the access token, which may have expired meanwhile.
    const session = sessions.find(connectionId, url.searchParams.get('awps_reconnection_token') ?? '');
    return session?.hub === hub && session.subprotocol === subprotocol
      ? { kind: 'recovered', session }
      : { kind: 'gone' };
  }
  const token = url.searchParams.get('access_token') ?? /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return refused(401, 'There is no access token.');
  const verified = verifyToken(token, key, audience(hub), Date.now());
  if (!verified.ok) return refused(401, `The access token is not valid: ${verified.problem}.`);
  const { sub, role } = verified.claims;
  if (role === undefined || role.length === 0) return refused(403, 'The access token has no role.');
  return { kind: 'connected', session: new PubSubSession(hub, sub, role, subprotocol) };
}

/** The reliable subprotocol, if both are offered. */
export function chooseSubprotocol(offered: ReadonlySet<string>): Subprotocol | false {
  if (offered.has(RELIABLE_SUBPROTOCOL)) return RELIABLE_SUBPROTOCOL;
  return offered.has(SIMPLE_SUBPROTOCOL) ? SIMPLE_SUBPROTOCOL : false;
}

function refused(status: number, message: string): Admission {
  return { kind: 'refused', status, message };
}

function offeredSubprotocols(request: http.IncomingMessage): ReadonlySet<string> {
  return new Set((request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim()));
}
