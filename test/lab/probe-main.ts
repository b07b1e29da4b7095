/** Asks the network simple questions from the `pi` namespace. */
import { Resolver } from 'node:dns/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Connect, Head, LookUp, Outcome, ProbeCalls } from './probe.js';
import { serve } from './remote-call.js';

async function lookUp({ name, type, timeoutMs }: LookUp): Promise<Outcome> {
  const startedAt = performance.now();
  // A fresh one reads resolv.conf.
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  const timer = setTimeout(() => resolver.cancel(), timeoutMs);
  try {
    const addresses = await resolver.resolve(name, type);
    return { ok: true, ms: performance.now() - startedAt, addresses };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      ok: false,
      ms: performance.now() - startedAt,
      at: 'dns',
      error: code === 'ECANCELLED' ? 'TIMEOUT' : (code ?? 'UNKNOWN'),
    };
  } finally {
    clearTimeout(timer);
  }
}

function connectTo({ address, port, timeoutMs }: Connect): Promise<Outcome> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = connect({ host: address, port });
    const finish = (error?: string): void => {
      clearTimeout(timer);
      socket.destroy();
      const ms = performance.now() - startedAt;
      resolve(error === undefined ? { ok: true, ms } : { ok: false, ms, at: 'tcp', error });
    };
    const timer = setTimeout(() => finish('TIMEOUT'), timeoutMs);
    socket.once('connect', () => finish());
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
  });
}

function head({ address, port, name, ca, timeoutMs }: Head): Promise<Outcome> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let at: 'tcp' | 'tls' | 'http' = 'tcp';
    const outgoing = request({
      method: 'HEAD',
      host: address,
      port,
      servername: name,
      headers: { host: name },
      ca,
      agent: false,
    });
    const finish = (outcome: { readonly status: number } | { readonly error: string }): void => {
      clearTimeout(timer);
      outgoing.destroy();
      const ms = performance.now() - startedAt;
      if ('status' in outcome) resolve({ ok: true, ms, status: outcome.status });
      else resolve({ ok: false, ms, at, error: outcome.error });
    };
    const timer = setTimeout(() => finish({ error: 'TIMEOUT' }), timeoutMs);
    outgoing.on('socket', (socket) => {
      socket.once('connect', () => (at = 'tls'));
      socket.once('secureConnect', () => (at = 'http'));
    });
    outgoing.on('response', (response) => finish({ status: response.statusCode ?? 0 }));
    outgoing.on('error', (error: NodeJS.ErrnoException) => finish({ error: error.code ?? error.message }));
    outgoing.end();
  });
}

serve({
  lookUp,
  connect: connectTo,
  head,
  addresses: () =>
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map((entry) => entry.address),
} satisfies ProbeCalls);
