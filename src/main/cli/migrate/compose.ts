/** Compose files: which services are the old component and the scheduler, and what a service says of its configuration. Pure. */
import { isMap, parseDocument, type Document, type YAMLMap } from 'yaml';
import { CONF_IN_CONTAINER, OLD_REMOTE, SCHEDULER, SHORT_SERVICE } from './places.js';

export type Role = 'remote' | 'scheduler' | 'other';

export interface ComposeService {
  readonly name: string;
  readonly role: Role;
  readonly containerName: string | undefined;
  /** What is mounted where the conf is looked for: an absolute path, one below the compose file's folder, or the name of a volume. */
  readonly confFolder: string | undefined;
  /** As written; relative to the compose file's folder. */
  readonly envFiles: readonly string[];
  /** Names and values of `environment`; undefined: taken from whoever runs compose. */
  readonly environment: ReadonlyMap<string, string | undefined>;
  /** Names of services, or of containers in files that mix them up. */
  readonly dependsOn: readonly string[];
  /** Fields other than `depends_on` in which a service can name another one, and whom they name. */
  readonly refersTo: readonly { readonly field: string; readonly name: string }[];
}

export type ComposeReading =
  | { readonly kind: 'services'; readonly services: readonly ComposeService[] }
  /** `why` completes a sentence that begins with the file's name. */
  | { readonly kind: 'unreadable'; readonly why: string };

/** @throws nothing: what is no compose file is `unreadable` */
export function readCompose(text: string): ComposeReading {
  const document = parseCompose(text);
  const [error] = document.errors;
  if (error !== undefined) {
    return { kind: 'unreadable', why: `is not valid YAML: ${error.message.split('\n')[0] ?? ''}` };
  }
  const plain = plainOf(document);
  const services = isRecord(plain) ? plain['services'] : undefined;
  if (!isRecord(services)) return { kind: 'unreadable', why: 'has no services' };
  return { kind: 'services', services: Object.entries(services).map(([name, service]) => serviceOf(name, service)) };
}

export function parseCompose(text: string): Document.Parsed {
  // `merge`: `<<: *base`, as Docker Compose reads it.
  return parseDocument(text, { merge: true, logLevel: 'silent' });
}

/** The document as plain values; undefined where its aliases explode or lead nowhere. */
export function plainOf(document: Document): unknown {
  try {
    return document.toJS() as unknown;
  } catch {
    return undefined;
  }
}

export function servicesOf(document: Document): YAMLMap | undefined {
  const services = isMap(document.contents) ? document.contents.get('services', true) : undefined;
  return isMap(services) ? services : undefined;
}

function serviceOf(name: string, service: unknown): ComposeService {
  const fields = isRecord(service) ? service : {};
  const image = textOf(fields['image']);
  const containerName = textOf(fields['container_name']);
  return {
    name,
    role: roleOf({ name, image, containerName }),
    containerName,
    confFolder: listOf(fields['volumes']).map(mountedAtConf).find(Boolean),
    envFiles: listOf(fields['env_file']).flatMap((file) => textOf(isRecord(file) ? file['path'] : file) ?? []),
    environment: environmentOf(fields['environment']),
    dependsOn: namesOf(fields['depends_on']),
    refersTo: [
      ...listOf(fields['links']).flatMap((link) => reference('links', textOf(link)?.split(':')[0])),
      ...listOf(fields['volumes_from']).flatMap((from) => reference('volumes_from', textOf(from)?.split(':')[0])),
      ...(['network_mode', 'pid', 'ipc'] as const).flatMap((field) =>
        reference(field, /^service:(.+)$/.exec(textOf(fields[field]) ?? '')?.[1]),
      ),
      ...reference('extends', textOf(isRecord(fields['extends']) ? fields['extends']['service'] : fields['extends'])),
    ],
  };
}

/** By its image, its container's name or its own name: each installation has at least one of them. */
export function roleOf(known: {
  readonly name: string | undefined;
  readonly image: string | undefined;
  readonly containerName: string | undefined;
}): Role {
  const names = [imageName(known.image), known.containerName, known.name];
  if (names.includes(OLD_REMOTE)) return 'remote';
  if (names.includes(SCHEDULER)) return 'scheduler';
  // Built on the Pi, it has no image's name; a `remote` with an image of its own is somebody else's.
  if (known.image === undefined && known.containerName === undefined) {
    if (known.name === SHORT_SERVICE.remote) return 'remote';
    if (known.name === SHORT_SERVICE.scheduler) return 'scheduler';
  }
  return 'other';
}

/** `ghcr.io/somebody/dunebugger-remote:1.2@sha256:…` is `dunebugger-remote`. */
function imageName(image: string | undefined): string | undefined {
  return image?.split('@')[0]?.split('/').at(-1)?.split(':')[0];
}

function mountedAtConf(volume: unknown): string | undefined {
  if (isRecord(volume)) return volume['target'] === CONF_IN_CONTAINER ? textOf(volume['source']) : undefined;
  const [source, target] = textOf(volume)?.split(':') ?? [];
  return target === CONF_IN_CONTAINER ? source : undefined;
}

function environmentOf(environment: unknown): ReadonlyMap<string, string | undefined> {
  if (isRecord(environment)) return new Map(Object.entries(environment).map(([name, value]) => [name, textOf(value)]));
  return new Map(
    listOf(environment).flatMap((line) => {
      const [, name, value] = /^([^=]+)(?:=([^]*))?$/.exec(textOf(line) ?? '') ?? [];
      return name === undefined ? [] : [[name, value] as const];
    }),
  );
}

function namesOf(dependsOn: unknown): readonly string[] {
  return isRecord(dependsOn) ? Object.keys(dependsOn) : listOf(dependsOn).flatMap((name) => textOf(name) ?? []);
}

function reference(field: string, name: string | undefined): ComposeService['refersTo'] {
  return name === undefined ? [] : [{ field, name }];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : value === undefined || value === null ? [] : [value];
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
