/** Looks for the old installation: its files, its containers, and what of it has been moved already. Changes nothing. */
import { posix } from 'node:path';
import { readCompose, type ComposeReading, type ComposeService } from './compose.js';
import { containersOf, type DockerState } from './docker.js';
import type { Files } from './files.js';
import { oldVariables, type OldVariable } from './old-variables.js';
import * as places from './places.js';

export interface ComposeFound {
  readonly path: string;
  readonly text: string;
  readonly reading: ComposeReading;
}

export interface FoundText {
  readonly path: string;
  readonly text: string;
}

/** All that was found, for a plan to be made from. */
export interface Found {
  /** Compose files with the old service in them, or with somebody who still depends on it; the one in use first. */
  readonly composeFiles: readonly ComposeFound[];
  readonly conf: FoundText | undefined;
  /** Other conf files of the old installation that lie about; not used. */
  readonly otherConfs: readonly string[];
  /** The first of a name counts. */
  readonly variables: readonly OldVariable[];
  readonly envFiles: readonly string[];
  readonly docker: DockerState;
  /** What could not be read although it is there, a sentence each. */
  readonly unreadable: readonly string[];
  /** What is missing although something names it, a sentence each. */
  readonly missing: readonly string[];
}

export function findOld(files: Files, docker: DockerState): Found {
  const unreadable: string[] = [];
  const missing: string[] = [];
  const read = (path: string): string | undefined => {
    const file = files.text(path);
    if (file.kind === 'unusable') unreadable.push(`${path} ${file.problem}`);
    return file.kind === 'text' ? file.text : undefined;
  };

  const remotes = containersOf(docker, 'remote');
  const composeFiles = unique([...remotes.flatMap(({ compose }) => compose?.files ?? []), ...composePlaces(files)])
    .flatMap((path): ComposeFound[] => {
      const text = read(path);
      return text === undefined ? [] : [{ path, text, reading: readCompose(text) }];
    })
    .filter(({ text, reading }) =>
      reading.kind === 'unreadable' ? text.includes(places.OLD_REMOTE) : reading.services.some(concernsRemote),
    );
  const services = composeFiles.flatMap(({ path, reading }) =>
    reading.kind === 'unreadable'
      ? []
      : reading.services
          .filter(({ role }) => role === 'remote')
          .map((service) => ({ service, folder: posix.dirname(path) })),
  );

  const named = [
    ...remotes.flatMap(({ confFolder }) => confFolder ?? []),
    ...services.flatMap(({ service, folder }) => hostFolder(service.confFolder, folder) ?? []),
  ];
  const confs = unique(
    [...named, ...places.CONF_FOLDERS].map((folder) => posix.join(folder, places.CONF_NAME)),
  ).flatMap((path) => {
    const text = read(path);
    return text === undefined ? [] : [{ path, text }];
  });
  // Where the old service says where its conf is, one that lies elsewhere is another story.
  const conf = confs.find(({ path }) => named.length === 0 || named.includes(posix.dirname(path)));
  const [firstNamed] = named;
  if (conf === undefined && firstNamed !== undefined) {
    missing.push(`${posix.join(firstNamed, places.CONF_NAME)}, where the old service has its conf, is not there`);
  }

  const searched = unique([
    ...composeFiles.map(({ path }) => posix.dirname(path)),
    '/home/pi',
    ...homes(files),
    ...places.COMPOSE_FOLDERS,
  ]);
  const old = oldVariables(services, remotes, searched, read);
  return {
    composeFiles,
    conf,
    otherConfs: confs.filter((each) => each !== conf).map(({ path }) => path),
    variables: old.variables,
    envFiles: old.files,
    docker,
    unreadable: unique(unreadable),
    missing: [...missing, ...old.missing],
  };
}

function concernsRemote({ role, dependsOn }: ComposeService): boolean {
  return role === 'remote' || dependsOn.includes(places.OLD_REMOTE);
}

function composePlaces(files: Files): readonly string[] {
  return [...places.COMPOSE_FOLDERS, '/home/pi', ...homes(files)].flatMap((folder) =>
    places.COMPOSE_NAMES.map((name) => posix.join(folder, name)),
  );
}

/** Whoever installed it may be called something else than pi. */
function homes(files: Files): readonly string[] {
  return [...files.names('/home').map((name) => `/home/${name}`), '/root'];
}

/** Folder of a bind mount; a volume of Docker's own has none that we know of. */
function hostFolder(source: string | undefined, composeFolder: string): string | undefined {
  return source !== undefined && /^[./]/.test(source) ? posix.resolve(composeFolder, source) : undefined;
}

function unique(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)];
}
