/** The settings that a daemon runs with, as it says them: without secrets. */
export interface RunningSettings {
  /** Texts by the settings' names. */
  readonly settings: Readonly<Record<string, string>>;
  /** Names of those that its environment sets: they cannot change while it runs. */
  readonly ofEnvironment: readonly string[];
}
