/**
 * Updates that a browser asks for. Those of core and scheduler are handed to the host's update coordinator where there is one, and what it says
 * is told; everything else gets an honest answer. One at a time: a script that runs as root is on the other side.
 */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Json } from '../../base/json.js';
import type { BrowserAnswers } from '../browser-answers.js';
import type { ComponentInfo } from '../components-info.js';
import { outgoing, type Component, type OutgoingMessage } from '../messages.js';
import type { Asker } from '../router.js';
import type { CoordinatorFiles } from './coordinator-files.js';
import type { UpdateRequest } from './request.js';
import { readRequest, readStatus, requestText } from './status.js';

/** From one look at the status to the next, milliseconds. */
export const LOOK_EVERY_MS = 1_000;
/** The coordinator ends a script after ten minutes, and may have another one before ours; milliseconds. */
export const FOLLOW_MS = 15 * 60_000;

const NOT_HANDED_OVER = 'An update that a browser asked for cannot be handed over.';
const NO_COORDINATOR = 'updateCoordinatorPath is empty, so nothing is handed over';
/** Each coordinator's `update.sh` ends at once without one. */
const NO_VERSION =
  'no version is named, and the update coordinator of this device needs one; newer versions are not looked for from here';
const BY_APT =
  'dunebugger-remote is updated on the device itself, by apt: sudo apt install ./dunebugger-remote_VERSION_all.deb';

export interface UpdatesDependencies {
  /** Undefined: nothing is ever handed over. */
  readonly files: CoordinatorFiles | undefined;
  /** Refusals, to the browser that asked. */
  readonly answers: BrowserAnswers;
  /** Says something of this moment. */
  readonly say: (message: OutgoingMessage) => void;
  /** Tells browsers sooner or later: who asked may have been cut off by the very update. */
  readonly tell: (message: OutgoingMessage) => void;
  /** system_info goes out. */
  readonly announce: () => void;
  /** What is known of all components. Never rejects. */
  readonly components: () => Promise<readonly ComponentInfo[]>;
  readonly log: Logger;
  readonly clock: Clock;
}

interface Running {
  readonly component: Component;
  readonly requestId: string;
  readonly untilMs: number;
  phase: string;
  cancel: () => void;
}

export class Updates {
  #running: Running | undefined;
  #stopped = false;

  constructor(private readonly deps: UpdatesDependencies) {}

  /** Resolves when it has been answered, or handed over. Never rejects. */
  async handle(request: UpdateRequest, asker: Asker): Promise<void> {
    if (this.#stopped) return;
    switch (request.kind) {
      case 'check':
        await this.#check(asker);
        return;
      case 'update-self':
        this.#refuse('dunebugger-remote', BY_APT, asker);
        return;
      case 'bad':
        this.#refuse(asker.subject ?? 'update', request.why, asker);
        return;
      case 'update':
        await this.#update(request, asker);
        return;
    }
  }

  /** Follows again what was handed over before this start. Never rejects. */
  async resume(): Promise<void> {
    const { files, log, clock } = this.deps;
    const [latest, ...older] = ((await files?.handedOver()) ?? [])
      .flatMap(({ requestId, text }) => {
        const request = readRequest(text);
        return request === undefined ? [] : [{ requestId, ...request }];
      })
      .sort((a, b) => b.sinceMs - a.sinceMs);
    if (latest === undefined || this.#isStopped() || this.#running !== undefined) return;
    for (const { requestId } of older) void files?.forget(requestId);
    const { requestId, component, sinceMs } = latest;
    // The clock may have been set in between.
    const ageMs = clock.wallMs() - sinceMs;
    const leftMs = ageMs >= 0 ? Math.max(0, FOLLOW_MS - ageMs) : FOLLOW_MS;
    const running: Running = {
      component,
      requestId,
      untilMs: clock.nowMs() + leftMs,
      phase: '',
      cancel: () => undefined,
    };
    this.#running = running;
    log.info({ component, requestId }, 'An update that was handed over before this start is followed again.');
    await this.#look(running);
  }

  /** What has been handed over goes on without us, and is followed again by the next {@link resume}. */
  stop(): void {
    this.#stopped = true;
    this.#running?.cancel();
    this.#running = undefined;
  }

  async #check({ connectionId }: Asker): Promise<void> {
    const [components, obstacle] = await Promise.all([this.deps.components(), this.#obstacle()]);
    if (this.#isStopped()) return;
    const others =
      obstacle === undefined
        ? 'Updates of core and scheduler to a version that is named are handed to the update coordinator of this device'
        : `Core and scheduler are updated on the device, too: ${obstacle}`;
    const message = `Newer versions are not looked for from here. ${BY_APT}. ${others}`;
    this.deps.say(outgoing('update_check_result', { components: byKey(components), message }, connectionId));
    this.deps.say(outgoing('log', { success: true, level: 'info', message }, connectionId));
    this.deps.announce();
  }

  async #update({ component, version }: Extract<UpdateRequest, { kind: 'update' }>, asker: Asker): Promise<void> {
    const { files, log, clock } = this.deps;
    const name = `${component} ${version}`.trimEnd();
    if (files === undefined) {
      this.#refuse(name, NO_COORDINATOR, asker);
      return;
    }
    if (this.#running !== undefined) {
      this.#refuse(name, `an update of ${this.#running.component} is under way`, asker);
      return;
    }
    if (version === '') {
      const why = (await files.obstacle()) ?? NO_VERSION;
      log.info({ component, reason: why }, NOT_HANDED_OVER);
      this.#refuse(component, why, asker);
      return;
    }
    const requestId = randomUUID();
    const running: Running = {
      component,
      requestId,
      untilMs: clock.nowMs() + FOLLOW_MS,
      phase: '',
      cancel: () => undefined,
    };
    this.#running = running;
    const obstacle = await files.hand(requestId, requestText({ component, version }, requestId, clock.wallMs()));
    if (this.#running !== running) return;
    if (obstacle !== undefined) {
      this.#running = undefined;
      log.info({ component, reason: obstacle }, NOT_HANDED_OVER);
      this.#refuse(name, obstacle, asker);
      return;
    }
    log.info({ component, version, requestId }, 'An update is handed to the update coordinator of this device.');
    this.#tell({ success: true, level: 'info', message: `Update of ${name}: handed over, it has begun` });
    this.#lookLater(running);
  }

  #lookLater(running: Running): void {
    running.cancel = this.deps.clock.setTimer(() => void this.#look(running), LOOK_EVERY_MS);
  }

  async #look(running: Running): Promise<void> {
    const { files, log, clock } = this.deps;
    const { component, requestId } = running;
    const status = readStatus(await files?.status(requestId), requestId);
    if (this.#running !== running) return;
    if (status.kind === 'ended') {
      this.#running = undefined;
      void files?.forget(requestId);
      const { success, output, error } = status;
      const message = `Update of ${component} ${success ? 'succeeded' : 'failed'}: ${status.message}`;
      if (success) log.info({ component, requestId }, 'An update of a component succeeded.');
      else log.warn({ component, requestId, reason: status.message }, 'An update of a component failed.');
      const level = success ? 'info' : 'error';
      this.#tell({ success, level, message, ...(output && { output }), ...(error && { error }) });
      this.deps.announce();
      return;
    }
    if (status.kind === 'progress' && status.phase !== running.phase) {
      running.phase = status.phase;
      log.debug({ component, phase: status.phase }, 'An update goes on.');
      this.#tell({ level: 'info', message: `Update of ${component}: ${status.phase}` });
    }
    if (clock.nowMs() < running.untilMs) {
      this.#lookLater(running);
      return;
    }
    this.#running = undefined;
    // What nobody took must not be carried out tomorrow.
    await files?.withdraw(requestId);
    const reason = `no result within ${FOLLOW_MS / 60_000} min; look at the update coordinator on the device`;
    log.warn({ component, requestId, reason }, 'An update of a component failed.');
    this.#tell({ success: false, level: 'error', message: `Update of ${component} failed: ${reason}` });
  }

  #obstacle(): Promise<string | undefined> {
    return this.deps.files?.obstacle() ?? Promise.resolve(NO_COORDINATOR);
  }

  #refuse(name: string, why: string, { connectionId }: Asker): void {
    if (!this.#stopped) this.deps.answers.notDone(`update of ${name}`, why, connectionId);
  }

  #tell(body: Json): void {
    this.deps.tell(outgoing('log', body));
  }

  /** As it is now: it may have changed during an await. */
  #isStopped(): boolean {
    return this.#stopped;
  }
}

/** As the original's `update_check_result` has it. */
function byKey(components: readonly ComponentInfo[]): Json {
  return Object.fromEntries(
    components.map(({ name, current_version, latest_version, update_available, release_notes, last_checked }) => [
      name.replace('dunebugger-', ''),
      { current: current_version, latest: latest_version, update_available, release_notes, last_checked },
    ]),
  );
}
