import http from 'node:http';
import http2 from 'node:http2';
import type net from 'node:net';
import tls from 'node:tls';
import { CertificateAuthority, type CertificateKind, type KeyAndChain } from './certificates.js';
import { Changes, type WaitOptions } from './changes.js';
import { Listener, urlHost, type ListenOptions } from './listener.js';

/** How the site answers. Applies to connections that are already open, too. */
export type SiteBehaviour =
  /** An answer; 204 and 3xx as well. `delayMs` makes it slow. */
  | {
      readonly kind: 'answer';
      readonly status?: number;
      readonly location?: string;
      readonly delayMs?: number;
      /** How an answer says where it ends. `known` (default): Content-Length. `none`: as Node's servers answer HEAD. `chunked`: as some CDNs do. */
      readonly framing?: 'known' | 'none' | 'chunked';
      /** What HEAD gets instead: a status that refuses it, silence, or a body against all rules. */
      readonly head?: 405 | 501 | 'hang' | 'body';
      /** Bytes of the body. Default 9. */
      readonly bodyBytes?: number;
      /** Bytes of what the site says in its headers besides; an ordinary one some 700. Default none. */
      readonly headerBytes?: number;
    }
  /**
   * Silence. `accept`: TCP connects, the TLS handshake is never answered. `tls`: the handshake completes, the request
   * is never read. `request`: the request is read (and counted), no answer follows. `h2`: as `tls`, of connections that agreed upon HTTP/2; others are answered.
   */
  | { readonly kind: 'hang'; readonly at: 'accept' | 'tls' | 'request' | 'h2' }
  /** The connection is reset in the middle of the answer's headers. */
  | { readonly kind: 'cut' }
  /** The request is answered with bytes that are not HTTP. */
  | { readonly kind: 'garbage' }
  /** Connects are refused by the kernel, open connections closed; the port is kept. */
  | { readonly kind: 'refuse' };

type AnswerBehaviour = Extract<SiteBehaviour, { kind: 'answer' }>;

/** What a site speaks; of several the first that the client offers is taken. */
export type SiteProtocol = 'http/1.1' | 'h2';

type Request = http.IncomingMessage | http2.Http2ServerRequest;
type Response = http.ServerResponse | http2.Http2ServerResponse;

export interface HttpsSiteOptions extends ListenOptions {
  /** Who signs; default: a CA of the site's own. */
  readonly ca?: CertificateAuthority;
  /** Names and addresses of the certificates. Default: localhost, 127.0.0.1, ::1 and the address listened on. */
  readonly names?: readonly string[];
}

/** What has arrived so far. */
export interface SiteCounts {
  /** TCP connections accepted. */
  readonly connections: number;
  /** TLS handshakes completed, resumed ones included. */
  readonly handshakes: number;
  /** TLS handshakes that resumed an earlier session. */
  readonly resumptions: number;
  /** HTTP requests read. */
  readonly requests: number;
}

/** A HTTPS site with its own certificates; connections are kept alive for 75 s, as nginx does. */
export class HttpsSite {
  readonly ca: CertificateAuthority;
  /** Overrides the Date header of every answer; undefined: the true time. */
  dateHeader: Date | undefined;
  #listener!: Listener;
  readonly #http: http.Server;
  readonly #http2: http2.Http2Server;
  /** One TLS server a certificate, each with ticket keys of its own: a session of one is not resumed by another. */
  readonly #tls: ReadonlyMap<CertificateKind, tls.Server>;
  readonly #changes = new Changes();
  readonly #timers = new Set<NodeJS.Timeout>();
  #certificate: CertificateKind = 'good';
  #behaviour: SiteBehaviour = { kind: 'answer' };
  #protocols: readonly SiteProtocol[] = ['http/1.1'];
  #handshakes = 0;
  #resumptions = 0;
  #requests = 0;
  #lastRequest: readonly string[] | undefined;

  private constructor(ca: CertificateAuthority, certificates: Record<CertificateKind, KeyAndChain>) {
    this.ca = ca;
    this.#http = http.createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
      this.#answer(request, response);
    });
    this.#http2 = http2.createServer((request, response) => this.#answer(request, response));
    this.#http2.on('session', (session) => session.on('error', () => undefined));
    const kinds: readonly CertificateKind[] = ['good', 'foreign', 'expired', 'not-yet-valid'];
    this.#tls = new Map(kinds.map((kind) => [kind, this.#makeTlsServer(certificates[kind])]));
  }

  static async start(options: HttpsSiteOptions = {}): Promise<HttpsSite> {
    const ca = options.ca ?? (await CertificateAuthority.create());
    const names = options.names ?? [...new Set(['localhost', '127.0.0.1', '::1', options.address ?? '127.0.0.1'])];
    const site = new HttpsSite(ca, await ca.issueAllKinds(names));
    site.#listener = await Listener.start(options, (socket) => {
      site.#onConnection(socket);
    });
    return site;
  }

  get address(): string {
    return this.#listener.address;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** `ADDRESS:PORT`, as a testDomain. */
  get hostAndPort(): string {
    return `${urlHost(this.address)}:${this.port}`;
  }

  get url(): string {
    return `https://${this.hostAndPort}/`;
  }

  /** The request line and the headers of the last request, line by line. */
  get lastRequest(): readonly string[] | undefined {
    return this.#lastRequest;
  }

  get counts(): SiteCounts {
    return {
      connections: this.#listener.accepted,
      handshakes: this.#handshakes,
      resumptions: this.#resumptions,
      requests: this.#requests,
    };
  }

  /** TCP connections open now. */
  get openConnections(): number {
    return this.#listener.open;
  }

  /** Changes how the site answers, from the next event on, on open connections as well. */
  async behave(behaviour: SiteBehaviour): Promise<void> {
    this.#behaviour = behaviour;
    if (behaviour.kind === 'refuse') {
      await this.#listener.refuse();
      this.#listener.dropAll();
    } else {
      await this.#listener.resume();
    }
  }

  /** What the next handshakes agree upon; whoever offers nothing of it is refused. Default: HTTP/1.1 alone. */
  speak(...protocols: readonly SiteProtocol[]): void {
    this.#protocols = protocols;
  }

  /** Answers 200 again, with the good certificate and the true date. */
  async repair(): Promise<void> {
    this.dateHeader = undefined;
    this.showCertificate('good');
    await this.behave({ kind: 'answer' });
  }

  /**
   * The certificate of the next handshakes. Open connections are closed, as if somebody else now answered, or live on, as where a portal takes
   * only what is new.
   */
  showCertificate(kind: CertificateKind, open: 'close' | 'live on' = 'close'): void {
    if (this.#certificate === kind) return;
    this.#certificate = kind;
    if (open === 'close') this.dropConnections();
  }

  /** Closes every open connection at once. */
  dropConnections(): void {
    this.#listener.dropAll();
  }

  /** Waits until that many requests have been read since the start. */
  async waitForRequests(count: number, options?: WaitOptions): Promise<void> {
    await this.#changes.until(
      () => this.#requests >= count,
      `${count} requests at the site`,
      options,
      () => `${this.#requests}`,
    );
  }

  async stop(): Promise<void> {
    this.#changes.close('the site was stopped');
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#listener.stop();
  }

  #makeTlsServer(certificate: KeyAndChain): tls.Server {
    const ALPNCallback = ({ protocols }: { protocols: string[] }): string | undefined =>
      this.#protocols.find((protocol) => protocols.includes(protocol));
    const server = tls.createServer({ ...certificate, ALPNCallback }, (socket) => {
      socket.on('error', () => undefined);
      this.#handshakes += 1;
      if (socket.isSessionReused()) this.#resumptions += 1;
      this.#changes.notify();
      const isHttp2 = socket.alpnProtocol === 'h2';
      const hangs = this.#behaviour.kind === 'hang' ? this.#behaviour.at : undefined;
      if (hangs === 'tls' || (hangs === 'h2' && isHttp2)) socket.resume();
      else (isHttp2 ? this.#http2 : this.#http).emit('connection', socket);
    });
    // A handshake that fails (the client does not trust us) is the client's to report.
    server.on('tlsClientError', () => undefined);
    return server;
  }

  #onConnection(socket: net.Socket): void {
    this.#changes.notify();
    // Read and thrown away, so that the client's leaving is still noticed.
    if (this.#behaviour.kind === 'hang' && this.#behaviour.at === 'accept') socket.resume();
    else this.#tls.get(this.#certificate)?.emit('connection', socket);
  }

  #answer(request: Request, response: Response): void {
    const behaviour = this.#behaviour;
    // A site that hangs before the request is read has not seen one on an open connection either.
    if (behaviour.kind === 'hang' && behaviour.at === 'h2' && request.httpVersionMajor < 2) {
      this.#respond(request, response, { kind: 'answer' });
      return;
    }
    if (behaviour.kind === 'hang' && behaviour.at !== 'request') return;
    this.#requests += 1;
    this.#lastRequest = linesOf(request);
    this.#changes.notify();
    switch (behaviour.kind) {
      case 'answer':
        this.#after(behaviour.delayMs ?? 0, () => {
          this.#respond(request, response, behaviour);
        });
        return;
      case 'cut':
        instead(request, 'HTTP/1.1 200 OK\r\nContent-Le', 'cut');
        return;
      case 'garbage':
        instead(request, '\u0000\u0001 this is not HTTP \r\n\r\n', 'end');
        return;
      case 'hang':
      case 'refuse':
        return;
    }
  }

  #respond(request: Request, response: Response, behaviour: AnswerBehaviour): void {
    const { framing = 'known', location, bodyBytes, headerBytes } = behaviour;
    const isHead = request.method === 'HEAD';
    const refused = isHead ? behaviour.head : undefined;
    if (refused === 'hang') return;
    if (refused === 'body') {
      instead(request, 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nthe site\n', 'keep');
      return;
    }
    const status = refused ?? behaviour.status ?? 200;
    if (this.dateHeader !== undefined) {
      response.sendDate = false;
      response.setHeader('Date', this.dateHeader.toUTCString());
    }
    // Said by ourselves, since nginx does not send the Keep-Alive header that Node would add.
    if (request.httpVersionMajor < 2) response.setHeader('Connection', 'keep-alive');
    if (location !== undefined) response.setHeader('Location', location);
    if (headerBytes !== undefined) response.setHeader('Content-Security-Policy', 'x'.repeat(headerBytes));
    const body = status === 204 || status === 304 ? '' : bodyBytes === undefined ? 'the site\n' : 'x'.repeat(bodyBytes);
    if (body !== '') {
      response.setHeader('Content-Type', 'text/plain');
      if (framing === 'known') response.setHeader('Content-Length', Buffer.byteLength(body));
      if (framing === 'chunked' && request.httpVersionMajor < 2) response.setHeader('Transfer-Encoding', 'chunked');
    }
    response.writeHead(status);
    if (isHead) response.end();
    else response.end(body);
  }

  #after(delayMs: number, work: () => void): void {
    if (delayMs === 0) {
      work();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }
}

/** Bytes that are no answer, past HTTP/1.1; a session of HTTP/2 just ends. */
function instead(request: Request, text: string, then: 'cut' | 'end' | 'keep'): void {
  if (!('socket' in request) || request.httpVersionMajor >= 2) {
    (request as http2.Http2ServerRequest).stream.session?.destroy();
    return;
  }
  const { socket } = request;
  socket.write(text, () => {
    if (then === 'cut') socket.destroy();
    if (then === 'end') socket.end();
  });
}

function linesOf({ method = '', url = '', httpVersion, rawHeaders }: Request): string[] {
  const headers = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1] ?? ''}`] : []));
  return [`${method} ${url} HTTP/${httpVersion}`, ...headers];
}
