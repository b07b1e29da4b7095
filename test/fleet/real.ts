/**
 * The same over real sockets, small: the daemon's connection parts (supervisor, credentials, session) against the local cloud, with a limit on the
 * sign-ins. All times of the policy are divided by {@link HASTE}, so that twenty minutes are two.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCredentials } from '../../src/main/connection/credentials/create.js';
import type { ClientAccessUrl, ClientAccessUrlProvider } from '../../src/main/connection/credentials/provider.js';
import { policyOf } from '../../src/main/connection/policy.js';
import type { ConnectionPolicy } from '../../src/main/connection/state.js';
import { ConnectionSupervisor } from '../../src/main/connection/supervisor.js';
import { createOpenSession } from '../../src/main/connection/web-pubsub.js';
import { createLookup } from '../../src/main/net/lookup.js';
import { SwitchedMonitor } from '../support/switched-monitor.js';
import type { WebPubSubServer } from '../support/web-pubsub-server.js';
import { defaultTimings } from './ours.js';

export const HASTE = 10;

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Every duration of it, however deep. */
function hastened<T>(value: T): T {
  if (typeof value === 'number') return (value / HASTE) as T;
  const entries = Object.entries(value as object).map(([key, part]) => [key, hastened(part as unknown)]);
  return Object.fromEntries(entries) as T;
}

/** Hands out URLs of the service, at most so many a second, otherwise 429 with the next second. */
export class LimitedSignIn {
  perSec = Infinity;
  readonly askedAtMs: number[] = [];
  readonly #server: Server;
  #tokens = 10;
  #refilledAtMs = performance.now();

  private constructor(cloud: WebPubSubServer) {
    this.#server = createServer((_request, response) => {
      const nowMs = performance.now();
      this.askedAtMs.push(nowMs);
      this.#tokens = Math.min(10, this.#tokens + ((nowMs - this.#refilledAtMs) / 1_000) * this.perSec);
      this.#refilledAtMs = nowMs;
      if (this.#tokens < 1) {
        response.writeHead(429, { 'Retry-After': '1' }).end();
        return;
      }
      this.#tokens -= 1;
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ url: cloud.clientAccessUrl() }));
    });
  }

  static async start(cloud: WebPubSubServer): Promise<LimitedSignIn> {
    const signIn = new LimitedSignIn(cloud);
    await new Promise<void>((resolve) => signIn.#server.listen(0, '127.0.0.1', resolve));
    return signIn;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/negotiate`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }
}

/** One device: everything of the daemon from the verdict to the socket. */
export class RealDevice extends SwitchedMonitor {
  /** Attempts, and when it was in, on the clock of the process. */
  readonly attemptedAtMs: number[] = [];
  readonly inAtMs: number[] = [];
  readonly #supervisor: ConnectionSupervisor;
  readonly #make: () => ClientAccessUrlProvider;
  #credentials: ClientAccessUrlProvider;

  constructor(cloud: WebPubSubServer, signIn: LimitedSignIn, policy: ConnectionPolicy) {
    super();
    const lookup = createLookup({ timeoutMs: 5_000, nameServers: ['127.0.0.1:1'] });
    this.#make = () =>
      createCredentials({
        negotiateUrl: signIn.url,
        lookup,
        log: SILENT,
        now: () => performance.now() * HASTE,
        trustedWallMs: () => undefined,
      });
    this.#credentials = this.#make();
    const current = (): ClientAccessUrlProvider => this.#credentials;
    const open = createOpenSession({
      credentials: {
        description: 'the limited sign-in',
        get: (signal): Promise<ClientAccessUrl> => current().get(signal),
        refused: (url) => current().refused(url),
        served: (url) => current().served(url),
        mended: () => current().mended(),
        get signInAllowedInMs() {
          return current().signInAllowedInMs;
        },
      },
      group: 'fleet',
      lookup,
      ...(cloud.ca && { ca: cloud.ca.certificatePem }),
      recoverySpacingMs: 1_000 / HASTE,
      mayOpen: () => this.status.verdict === 'online',
      log: SILENT,
    });
    this.#supervisor = new ConnectionSupervisor({
      monitor: this,
      openSession: (how) => {
        this.attemptedAtMs.push(performance.now());
        return open(how);
      },
      policy,
      log: SILENT,
    });
    this.#supervisor.onStateChange(({ kind }) => {
      if (kind === 'connected') this.inAtMs.push(performance.now());
    });
  }

  start(): void {
    this.#supervisor.start();
  }
  stop(): Promise<void> {
    return this.#supervisor.stop();
  }
  get isIn(): boolean {
    return this.#supervisor.state.kind === 'connected';
  }
  /** As after a restart without a kept URL. */
  forgetUrl(): void {
    this.#credentials = this.#make();
  }
}

export function hastenedPolicy(): ConnectionPolicy {
  return hastened(policyOf(defaultTimings()));
}

/** Until all are in, or the deadline. */
export async function allIn(devices: readonly RealDevice[], withinMs: number): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!devices.every(({ isIn }) => isIn) && performance.now() < untilMs) await sleep(50);
}
