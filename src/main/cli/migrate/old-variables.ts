/** The old installation's variables: what its service says of them, its env files, and what Docker has made of both. */
import { posix } from 'node:path';
import { parseDotEnv } from '../../settings/environment.js';
import { settingOfVariable } from '../../settings.js';
import type { ComposeService } from './compose.js';
import type { Container } from './docker.js';
import { ENV_NAME } from './places.js';

/** A variable of the old installation, and where it stands. */
export interface OldVariable {
  readonly name: string;
  readonly value: string;
  readonly where: string;
}

export interface OldVariables {
  /** The first of a name counts. */
  readonly variables: readonly OldVariable[];
  /** Files that were read for it. */
  readonly files: readonly string[];
  /** What could not be taken as it should, a sentence each. */
  readonly missing: readonly string[];
}

export interface ServiceInFolder {
  readonly service: ComposeService;
  readonly folder: string;
}

/**
 * @param read text of a file, undefined where there is none
 * @param searched folders whose `.env` counts where no service names one; the first that is there
 */
export function oldVariables(
  services: readonly ServiceInFolder[],
  containers: readonly Container[],
  searched: readonly string[],
  read: (path: string) => string | undefined,
): OldVariables {
  const variables: OldVariable[] = [];
  const files: string[] = [];
  const missing: string[] = [];
  const inContainer = new Map(containers.flatMap(({ environment }) => [...environment]));
  const take = (path: string): boolean => {
    if (files.includes(path)) return true;
    const text = read(path);
    if (text === undefined) return false;
    files.push(path);
    for (const [name, value] of parseDotEnv(text)) {
      // Docker Compose may have replaced what begins with the sign; the container knows what came of it.
      if (!value.includes('$') || !inContainer.has(name)) variables.push({ name, value, where: path });
    }
    return true;
  };

  // As Docker Compose has it: `environment` before `env_file`, the last of several files first.
  for (const { service, folder } of services) {
    const dotEnv = parseDotEnv((service.environment.size > 0 ? read(posix.join(folder, ENV_NAME)) : undefined) ?? '');
    for (const [name, written] of service.environment) {
      const value = interpolated(written ?? `\${${name}}`, dotEnv);
      if (value !== undefined) variables.push({ name, value, where: `the service ${service.name}` });
      else if (settingOfVariable(name) !== undefined && !inContainer.has(name)) {
        missing.push(
          `${name} of the service ${service.name} is made of other variables and is not taken over: set it by hand`,
        );
      }
    }
    for (const file of service.envFiles.toReversed()) {
      const path = posix.resolve(folder, file);
      if (!take(path)) missing.push(`${path}, which the old service has its environment from, is not there`);
    }
  }
  if (files.length === 0) searched.some((folder) => take(posix.join(folder, ENV_NAME)));
  // For what the files do not say, or no longer.
  for (const { name: container, environment } of containers) {
    for (const [name, value] of environment) variables.push({ name, value, where: `the container ${container}` });
  }
  return { variables, files, missing };
}

/** A value as Docker Compose fills variables in: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `$$`; undefined: another form. */
export function interpolated(value: string, variables: ReadonlyMap<string, string>): string | undefined {
  const strange: string[] = [];
  const filled = value.replace(
    /\$(?:(\$)|(\w+)|\{(\w+)(?:(:?-)([^{}]*))?\})?/g,
    (whole, dollar: string | undefined, plain?: string, braced?: string, _sign?: string, fallback?: string) => {
      if (dollar !== undefined) return '$';
      const name = plain ?? braced;
      if (name === undefined) strange.push(whole);
      return name === undefined ? whole : (variables.get(name) ?? fallback ?? '');
    },
  );
  return strange.length === 0 ? filled : undefined;
}
