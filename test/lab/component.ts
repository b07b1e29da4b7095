/** What the child in `pi` offers that stands in for core and scheduler on the local bus. */

/** A command from the browser as core received it. */
export interface ReceivedCommand {
  readonly seq: number;
  readonly atMs: number;
}

export interface ComponentCalls {
  /** Connects to the bus and answers its heartbeats. */
  start(options: { readonly url: string }): Promise<void>;
  /** From now on a numbered log line every so often. */
  speak(options: { readonly everyMs: number }): void;
  /** Core says one log line of so many bytes, at once. */
  sayLarge(options: { readonly bytes: number }): void;
  /** Says no more; returns when each line was said (wall clock), by its number. */
  hush(argument: undefined): readonly number[];
  /** What the scheduler was told of the clock, in order. */
  clockStatus(argument: undefined): readonly boolean[];
  /** The commands received so far, in order. */
  commands(argument: undefined): readonly ReceivedCommand[];
  [name: string]: (argument: never) => unknown;
}
