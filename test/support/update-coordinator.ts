/**
 * Stand-ins for the host's update coordinator, in the two forms it has had: the one of January 2026 writes a status at the end only, the later
 * one progress with `success: null` and phases before it. Both write their files in place, so a reader may meet half of one.
 */
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CoordinatorFiles, HandedOver } from '../../src/main/remote/updates/coordinator-files.js';

export interface TakenRequest {
  readonly component: string;
  readonly action: string;
  readonly version: string;
  readonly request_id: string;
  readonly timestamp: string;
}

export interface Result {
  readonly success: boolean;
  readonly message: string;
  readonly output?: string;
  readonly error?: string;
}

const progressOf = ({ request_id, component }: TakenRequest, phase: string): string =>
  JSON.stringify({
    ...{ request_id, component, action: 'update', success: null, message: 'in_progress', output: '', error: '' },
    ...{ phase, timestamp: '2026-02-01T12:00:00+01:00' },
  });

const endOf = ({ request_id, component }: TakenRequest, result: Result): string =>
  JSON.stringify(
    {
      ...{ request_id, component, action: 'update', output: '', error: '', ...result },
      timestamp: '2026-02-01T12:00:00',
    },
    undefined,
    2,
  );

/** Without files, so that it answers at once. */
export class CoordinatorInMemory implements CoordinatorFiles {
  readonly requests = new Map<string, string>();
  readonly statuses = new Map<string, string>();
  /** What was handed over and is not forgotten; outlives whoever handed it over. */
  readonly notes = new Map<string, string>();
  /** Why it cannot be reached. */
  trouble: string | undefined;

  hand(requestId: string, text: string): Promise<string | undefined> {
    if (this.trouble === undefined) for (const map of [this.requests, this.notes]) map.set(requestId, text);
    return Promise.resolve(this.trouble);
  }
  withdraw(requestId: string): Promise<void> {
    this.requests.delete(requestId);
    return this.forget(requestId);
  }
  forget(requestId: string): Promise<void> {
    this.notes.delete(requestId);
    return Promise.resolve();
  }
  handedOver(): Promise<readonly HandedOver[]> {
    return Promise.resolve([...this.notes].map(([requestId, text]) => ({ requestId, text })));
  }
  status(requestId: string): Promise<string | undefined> {
    return Promise.resolve(this.statuses.get(requestId));
  }
  obstacle(): Promise<string | undefined> {
    return Promise.resolve(this.trouble);
  }

  get waiting(): readonly TakenRequest[] {
    return [...this.requests.values()].map((text) => JSON.parse(text) as TakenRequest);
  }

  progress(request: TakenRequest, phase: string): void {
    this.statuses.set(request.request_id, progressOf(request, phase));
  }

  end(request: TakenRequest, result: Result): void {
    this.statuses.set(request.request_id, endOf(request, result));
    this.requests.delete(request.request_id);
  }
}

/** With its files, in a folder of its own. */
export class CoordinatorInFiles {
  private constructor(readonly folder: string) {}

  static async create(): Promise<CoordinatorInFiles> {
    const folder = await mkdtemp(path.join(tmpdir(), 'updates-'));
    await mkdir(path.join(folder, 'requests'));
    await mkdir(path.join(folder, 'status'));
    return new CoordinatorInFiles(folder);
  }

  /** Names of the files in `requests`. */
  requests(): Promise<readonly string[]> {
    return readdir(path.join(this.folder, 'requests'));
  }

  /** The requests that wait, as it reads them. */
  async waiting(): Promise<readonly TakenRequest[]> {
    const names = (await this.requests()).filter((name) => name.endsWith('.json'));
    return Promise.all(
      names.map(
        async (name) => JSON.parse(await readFile(path.join(this.folder, 'requests', name), 'utf8')) as TakenRequest,
      ),
    );
  }

  async progress(request: TakenRequest, phase: string): Promise<void> {
    await this.#write(request, progressOf(request, phase));
  }

  /** Ended; the request goes. */
  async end(request: TakenRequest, result: Result): Promise<void> {
    await this.#write(request, endOf(request, result));
    await rm(path.join(this.folder, 'requests', `${request.request_id}.json`));
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #write({ request_id }: TakenRequest, text: string): Promise<void> {
    await writeFile(path.join(this.folder, 'status', `${request_id}.json`), text);
  }
}
