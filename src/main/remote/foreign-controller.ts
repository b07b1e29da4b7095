/**
 * Notices a second remote. Since we send with noEcho, a message of `source:"controller"` in our own group is somebody else's: the Python
 * container that came back by itself, or another Pi with the same WS_GROUP_NAME. Each takes every command, so core gets it twice.
 */
import type { Logger } from '../base/logger.js';

export class ForeignController {
  #inGroup = false;

  constructor(private readonly log: Logger) {}

  /** A message of a controller has come from the group. Said once. */
  seenInGroup(subject: unknown): void {
    if (this.#inGroup) return;
    this.#inGroup = true;
    this.log.error(
      { subject: typeof subject === 'string' ? subject.slice(0, 64) : undefined },
      'Another controller speaks in this group, so commands may be carried out twice. On this Pi: stop and remove the old container (docker rm -f dunebugger-remote) and take its service out of the compose file. On another Pi: give it a WS_GROUP_NAME of its own.',
    );
  }
}
