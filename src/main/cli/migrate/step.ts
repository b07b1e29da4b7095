/** The vocabulary of a plan. */
import type { ReadFile } from '../../settings/files.js';
import type { Container } from './docker.js';
import type { Found } from './find.js';
import type { Entry, FileRole } from './journal.js';
import type { Ours, ServiceState } from './ours.js';

/** One change. `what` and `why` are sentences without their full stop; nothing in them is secret. */
export type Step = Words &
  (
    | { readonly kind: 'write'; readonly role: FileRole; readonly path: string; readonly text: string }
    /** Stops and removes a container that Docker Compose can make anew. */
    | { readonly kind: 'remove-container'; readonly container: Container }
    /** Stops a container that nothing could make anew, and keeps it from coming back. */
    | { readonly kind: 'retire-container'; readonly container: Container }
    /** Starts our service, or starts it again with what was written. */
    | { readonly kind: 'start-service'; readonly before: ServiceState }
    | { readonly kind: 'restart-container'; readonly name: string }
  );

interface Words {
  readonly what: string;
  readonly why: string;
  /** Lines beneath it. */
  readonly details: readonly string[];
}

export interface Plan {
  /** Was anything of the old installation found? */
  readonly found: boolean;
  readonly steps: readonly Step[];
  /** Worth knowing, a sentence each. */
  readonly notes: readonly string[];
  /** While there is one of these nothing is changed, a sentence each. */
  readonly problems: readonly string[];
  /** The same, of the settings: the service would not start with them. */
  readonly settingsProblems: readonly string[];
}

export interface PlanInput {
  readonly found: Found;
  readonly ours: Ours;
  /** What an earlier run has done. */
  readonly done: readonly Entry[];
  /** Is it the system that runs here? */
  readonly live: boolean;
  /** Reads credentials beside our conf. */
  readonly readFile: ReadFile;
  /** Text of /etc/hosts; undefined: there is none. */
  readonly hosts: string | undefined;
}
