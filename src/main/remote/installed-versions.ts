/**
 * The versions of core and scheduler as they are installed on this Pi, for releases that do not tell theirs in a heartbeat. The reading of the
 * texts is pure; a file that is not there, cannot be read or says something else is a version that is not known.
 */
import path from 'node:path';
import { asJsonObject, isPlainObject } from './json-bounds.js';
import type { ComponentStatus } from './from-bus.js';
import { within } from './system-info/bounded.js';

export interface InstalledVersionsOptions {
  /** A file's text; undefined if there is none. Bounded. */
  readonly read: (file: string) => Promise<string | undefined>;
  /** Core's folder; its file `VERSION` is read. Not absolute: nothing is. */
  readonly coreInstallPath: string;
  /** The compose file with the scheduler's image. Not absolute: nothing is read. */
  readonly dockerComposePath: string;
  /** Deadline of each file, milliseconds. Default 2,000. */
  readonly fileMs?: number;
}

/** A release: begins with a digit. A tag such as `latest` says nothing. */
const RELEASE = /^v?(\d[A-Za-z0-9.+_-]{0,63})$/;
/** An `image:` of a compose file, with or without a registry, quotes, a digest, a comment behind it. */
const SCHEDULER_IMAGE =
  /^\s*image:\s*["']?(?:[^\s"'#]*\/)?[\w.-]*scheduler[\w.-]*:([^\s"'@#]+)(?:@[^\s"']+)?["']?\s*(?:#.*)?$/;

/** JSON with `full_version` or `version`, or one line. */
export function versionOfFile(text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return release(text.trim());
  }
  if (!isPlainObject(value)) return release(text.trim());
  const { full_version: full, version } = asJsonObject(value);
  return release(full) ?? release(version);
}

/** The tag of the scheduler's image; undefined as well if several images disagree. */
export function versionOfImage(composeFile: string): string | undefined {
  const tags = composeFile.split(/\r?\n/).flatMap((text) => SCHEDULER_IMAGE.exec(text)?.[1] ?? []);
  const [tag] = tags;
  return tags.every((other) => other === tag) ? release(tag) : undefined;
}

function release(text: unknown): string | undefined {
  return typeof text === 'string' ? RELEASE.exec(text)?.[1] : undefined;
}

/** Adds what the files say to what the heartbeats said: those are of the process that runs, and win. Never rejects. */
export async function withInstalledVersions(
  components: readonly ComponentStatus[],
  { read, coreInstallPath, dockerComposePath, fileMs = 2_000 }: InstalledVersionsOptions,
): Promise<readonly ComponentStatus[]> {
  const told = (text: string | null, versionOf: (text: string) => string | undefined): string | null =>
    text === null ? null : (versionOf(text) ?? null);
  const textOf = (file: string): Promise<string | null> =>
    path.isAbsolute(file) ? within(fileMs, () => read(file)) : Promise.resolve(null);
  return Promise.all(
    components.map(async (component) => {
      if (component.version !== null) return component;
      const version =
        component.name === 'dunebugger'
          ? told(await textOf(coreInstallPath === '' ? '' : path.join(coreInstallPath, 'VERSION')), versionOfFile)
          : told(await textOf(dockerComposePath), versionOfImage);
      return { ...component, version };
    }),
  );
}
