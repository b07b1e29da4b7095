/** What a program other than the daemon needs of the settings. */
import { loadSettings as load, type LoadedSettings, type LoadOptions } from './settings.js';

/**
 * The settings as the daemon reads them: the conf file, a `.env`, the environment of this process; all at once, synchronously. Nothing that only
 * a sign-in needs is asked for: `purpose` is `check` unless it is said otherwise.
 * @throws {SettingsError} with all problems at once
 */
export function loadSettings(options: Partial<LoadOptions> = {}): LoadedSettings {
  return load({ env: process.env, purpose: 'check', ...options });
}
