/** A monitor whose verdict a test sets by hand. */
import type { ConnectivityMonitor } from '../../src/main/connection/supervisor.js';

export class SwitchedMonitor implements ConnectivityMonitor {
  status: ConnectivityMonitor['status'] = { verdict: 'online' };
  readonly #connected = new Set<() => void>();
  readonly #disconnected = new Set<() => void>();

  onConnected(listener: () => void): () => void {
    this.#connected.add(listener);
    return () => this.#connected.delete(listener);
  }
  onDisconnected(listener: () => void): () => void {
    this.#disconnected.add(listener);
    return () => this.#disconnected.delete(listener);
  }
  checkNow(): Promise<void> {
    return Promise.resolve();
  }
  become(online: boolean): void {
    this.status = online ? { verdict: 'online' } : { verdict: 'offline', reason: 'tcp-timeout' };
    for (const listener of online ? this.#connected : this.#disconnected) listener();
  }
}
