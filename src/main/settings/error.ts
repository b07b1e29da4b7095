/** The settings cannot be used. Holds every problem at once; none of them shows a secret. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly code = 'ERR_SETTINGS';
  /** EX_CONFIG of sysexits.h: the service manager is told not to try again. */
  readonly exitCode = 78;
  /** One sentence each: file or variable, section, key, value, what is allowed. */
  readonly problems: readonly string[];

  /** What was ignored and what was probably meant: often the explanation of a problem. */
  readonly warnings: readonly string[];

  constructor(problems: readonly string[], warnings: readonly string[] = [], options?: ErrorOptions) {
    const [only, ...others] = problems;
    super(
      others.length === 0
        ? `The settings cannot be used: ${only ?? 'unknown problem'}`
        : `The settings cannot be used, ${problems.length} problems: ${problems.map((text, i) => `(${i + 1}) ${text}`).join(' ')}`,
      options,
    );
    this.problems = Object.freeze([...problems]);
    this.warnings = Object.freeze([...warnings]);
  }
}
