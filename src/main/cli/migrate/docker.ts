/** What Docker runs of the old installation, and what is asked of Docker. */
import { printable } from '../../log/redact.js';
import type { Outcome, RunCommand } from './commands.js';
import { isRecord, roleOf } from './compose.js';
import { CONF_IN_CONTAINER } from './places.js';

/** A container of the old installation, running or not. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly role: 'remote' | 'scheduler';
  readonly running: boolean;
  /** As `docker update --restart` takes it: `no`, `always`, `unless-stopped`, `on-failure:3`. */
  readonly restart: string;
  readonly environment: ReadonlyMap<string, string>;
  /** Folder of this system that is mounted where the conf is looked for. */
  readonly confFolder: string | undefined;
  /** Whence it comes; undefined: from `docker run`. */
  readonly compose: ComposeOrigin | undefined;
}

/** What Docker Compose writes onto its containers. */
export interface ComposeOrigin {
  readonly files: readonly string[];
  readonly folder: string;
  readonly project: string;
  readonly service: string;
}

export type DockerState =
  /** There is no such command: the containers of a Pi without Docker run nowhere. */
  | { readonly kind: 'absent' }
  /** It is not asked: the system is not the one that runs here. */
  | { readonly kind: 'not-asked' }
  /** `why` is a sentence. */
  | { readonly kind: 'failing'; readonly why: string }
  | {
      readonly kind: 'there';
      readonly containers: readonly Container[];
      /** How Docker Compose is called here; undefined: it is not there. */
      readonly compose: readonly string[] | undefined;
    };

/** For what only asks. */
const ASK_DEADLINE_MS = 20_000;

/** Looks without changing anything. */
export async function lookAtDocker(run: RunCommand): Promise<DockerState> {
  const docker = await lookAtContainers(run);
  return docker.kind === 'there' ? { ...docker, compose: await composeCommand(run) } : docker;
}

/** The same without asking for Docker Compose. */
export async function lookAtContainers(run: RunCommand, deadlineMs = ASK_DEADLINE_MS): Promise<DockerState> {
  const ids = await run('docker', ['ps', '--all', '--quiet', '--no-trunc'], { deadlineMs });
  if (ids.kind === 'missing') return { kind: 'absent' };
  const why = failureOf('docker ps', ids);
  if (why !== undefined || ids.kind !== 'ended') return { kind: 'failing', why: why ?? '' };
  const list = ids.stdout.split('\n').filter((id) => /^[0-9a-f]{12,64}$/.test(id));
  if (list.length === 0) return { kind: 'there', containers: [], compose: undefined };
  const details = await run('docker', ['inspect', '--type', 'container', ...list], { deadlineMs });
  const problem = failureOf('docker inspect', details);
  if (problem !== undefined || details.kind !== 'ended') return { kind: 'failing', why: problem ?? '' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(details.stdout);
  } catch {
    return { kind: 'failing', why: '`docker inspect` did not answer with JSON' };
  }
  const all = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  return { kind: 'there', containers: all.flatMap((container) => containerOf(container) ?? []), compose: undefined };
}

export function containersOf(docker: DockerState, role: Container['role']): readonly Container[] {
  return docker.kind === 'there' ? docker.containers.filter((container) => container.role === role) : [];
}

/** Why a command did not do what was asked, as a sentence; undefined: it did. What it said is cut to a line, without secrets. */
export function failureOf(what: string, outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case 'missing':
      return `there is no command for \`${what}\``;
    case 'hung':
      return `\`${what}\` did not end within ${outcome.deadlineMs / 1_000} s`;
    case 'broken':
      return `\`${what}\` broke off: ${outcome.why}`;
    case 'ended': {
      if (outcome.code === 0) return undefined;
      const said = `${outcome.stderr}\n${outcome.stdout}`.split('\n').find((line) => line.trim() !== '') ?? '';
      return `\`${what}\` ended with ${outcome.code}${said === '' ? '' : `: ${printable(said.trim(), 200)}`}`;
    }
  }
}

/** Which of the two ways to call Docker Compose this system has; undefined: neither. */
export async function composeCommand(run: RunCommand): Promise<readonly string[] | undefined> {
  for (const command of [['docker', 'compose'], ['docker-compose']] as const) {
    const [name, ...args] = command;
    const outcome = await run(name, [...args, 'version'], { deadlineMs: ASK_DEADLINE_MS });
    if (outcome.kind === 'ended' && outcome.code === 0) return command;
  }
  return undefined;
}

/** Asks Docker Compose whether a compose file is one, before it is written; undefined: it is, or there is nobody to ask. */
export async function whyNotValid(
  run: RunCommand,
  compose: readonly string[] | undefined,
  text: string,
  folder: string,
): Promise<string | undefined> {
  if (compose === undefined) return undefined;
  const [name = '', ...args] = compose;
  const outcome = await run(name, [...args, '-f', '-', '--project-directory', folder, 'config', '-q'], {
    input: text,
    deadlineMs: ASK_DEADLINE_MS,
  });
  return failureOf(`${compose.join(' ')} config`, outcome);
}

function containerOf(container: unknown): Container | undefined {
  const config = at(container, 'Config');
  const labels = at(config, 'Labels');
  const label = (name: string): string | undefined => textAt(labels, `com.docker.compose.${name}`);
  const name = textAt(container, 'Name')?.replace(/^\//, '');
  const id = textAt(container, 'Id');
  if (name === undefined || id === undefined) return undefined;
  const image = textAt(config, 'Image');
  const byOwnNames = roleOf({ name: undefined, image, containerName: name });
  const role = byOwnNames === 'other' ? roleOf({ name: label('service'), image, containerName: name }) : byOwnNames;
  if (role === 'other') return undefined;
  const policy = at(at(container, 'HostConfig'), 'RestartPolicy');
  const restart = textAt(policy, 'Name') ?? '';
  const tries = at(policy, 'MaximumRetryCount');
  const mounts = at(container, 'Mounts');
  const [project, service] = [label('project'), label('service')];
  return {
    id,
    name,
    role,
    running: at(at(container, 'State'), 'Running') === true,
    restart: restart === '' ? 'no' : typeof tries === 'number' && tries > 0 ? `${restart}:${tries}` : restart,
    environment: new Map(
      (Array.isArray(at(config, 'Env')) ? (at(config, 'Env') as unknown[]) : []).flatMap((line) => {
        const [, variable, value] = typeof line === 'string' ? (/^([^=]+)=([^]*)$/.exec(line) ?? []) : [];
        return variable === undefined || value === undefined ? [] : [[variable, value] as const];
      }),
    ),
    confFolder: (Array.isArray(mounts) ? (mounts as unknown[]) : [])
      .filter((mount) => textAt(mount, 'Destination') === CONF_IN_CONTAINER && textAt(mount, 'Type') === 'bind')
      .map((mount) => textAt(mount, 'Source'))
      .find((source) => source !== undefined),
    compose:
      project === undefined || service === undefined
        ? undefined
        : {
            project,
            service,
            files: (label('project.config_files') ?? '').split(',').filter((file) => file.startsWith('/')),
            folder: label('project.working_dir') ?? '/',
          },
  };
}

function at(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

function textAt(value: unknown, key: string): string | undefined {
  const found = at(value, key);
  return typeof found === 'string' && found !== '' ? found : undefined;
}
