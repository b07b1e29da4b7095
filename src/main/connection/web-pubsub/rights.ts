/** What the token lacks, said as soon as the service says no for that reason. */
import type { Logger } from '../../log.js';
import { refusalOf } from './outbox.js';

/** The roles of Microsoft's documentation ("Generate client access URL"), by what is refused without them. */
const ROLES = { join: 'webpubsub.joinLeaveGroup', send: 'webpubsub.sendToGroup' } as const;

/** Continues the sentence of a refusal. */
export function missingRole(what: keyof typeof ROLES, group: string): string {
  return `the token of the client access URL lacks the role ${ROLES[what]} (or ${ROLES[what]}.${group}): whoever issues it must add it`;
}

/** Says once a session that nothing may be sent to the group: without the role the service refuses every message. */
export class SendRights {
  #said = false;

  constructor(
    private readonly group: string,
    private readonly log: Logger,
  ) {}

  /** Looks at why a message was not sent. */
  failed(error: unknown): void {
    if (this.#said || refusalOf(error)?.name !== 'Forbidden') return;
    this.#said = true;
    this.log.error(
      { group: this.group },
      `The cloud lets this device in, but takes no message from it: ${missingRole('send', this.group)}`,
    );
  }
}
