/**
 * Stands in for `docker` (and, where there is none, for `systemctl`) on a PATH: keeps containers in a file, writes down every call.
 * A program of its own: `node docker-stand-in.js FOLDER docker ps …`. FOLDER holds `state.json` and `calls`; paths of the system are
 * those below `root` of the state. What `docker compose` refuses, it refuses: no services, no image, a `depends_on` to nowhere.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

export interface StandInContainer {
  Id: string;
  Name: string;
  Config: { Image: string; Env: string[]; Labels: Record<string, string> };
  HostConfig: { RestartPolicy: { Name: string; MaximumRetryCount: number } };
  State: { Running: boolean };
  Mounts: { Type: string; Source: string; Destination: string }[];
}

export interface StandInState {
  root: string;
  /** Where the package `yaml` is found from. */
  yamlFrom: string;
  /** `hangs`: it never answers; `fails`: as if its daemon were not there. By the word after `docker`; `all`: whatever is asked. */
  troubles: Record<string, 'hangs' | 'fails'>;
  containers: StandInContainer[];
  service: { ActiveState: string; UnitFileState: string };
}

interface Service {
  image?: string;
  container_name?: string;
  restart?: string;
  depends_on?: string[] | Record<string, unknown>;
}

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Does what the command says to the state. undefined: it hangs. */
export function standIn(
  state: StandInState,
  command: string,
  args: readonly string[],
  input: string,
): Answer | undefined {
  const trouble = command === 'docker' ? (state.troubles['all'] ?? state.troubles[args[0] ?? '']) : undefined;
  if (trouble === 'hangs') return undefined;
  if (trouble === 'fails') return refuse('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.');
  return command === 'docker' ? docker(state, args, input) : systemctl(state, args);
}

function docker(state: StandInState, args: readonly string[], input: string): Answer {
  const [verb = '', ...rest] = args;
  const name = rest.at(-1) ?? '';
  const container = state.containers.find((each) => each.Name === `/${name}`);
  switch (verb) {
    case 'ps':
      return say(state.containers.map(({ Id }) => `${Id}\n`).join(''));
    case 'inspect':
      return say(JSON.stringify(state.containers.filter(({ Id }) => rest.includes(Id))));
    case 'compose':
      return compose(state, rest, input);
  }
  if (container === undefined) return refuse(`Error response from daemon: No such container: ${name}`);
  switch (verb) {
    case 'stop':
      container.State.Running = false;
      return say('');
    case 'start':
    case 'restart':
      container.State.Running = true;
      return say('');
    case 'rm':
      if (container.State.Running) return refuse(`You cannot remove a running container ${name}`);
      state.containers = state.containers.filter((each) => each !== container);
      return say('');
    case 'update':
      container.HostConfig.RestartPolicy.Name = /--restart=(\S+)/.exec(rest.join(' '))?.[1] ?? 'no';
      return say('');
    default:
      return refuse(`docker: '${verb}' is not a docker command.`);
  }
}

function compose(state: StandInState, args: readonly string[], input: string): Answer {
  if (args[0] === 'version') return say('');
  const after = (option: string): string => args[args.indexOf(option) + 1] ?? '';
  const file = after('-f');
  const { parse } = createRequire(state.yamlFrom)('yaml') as { parse: (text: string) => unknown };
  const text = file === '-' ? input : readFileSync(`${state.root}${file}`, 'utf8');
  const { services } = (parse(text) ?? {}) as { services?: Record<string, Service> | null };
  if (services === undefined || services === null) return refuse('services must be a mapping');
  for (const [name, { image, depends_on = [] }] of Object.entries(services)) {
    if (image === undefined) return refuse(`service "${name}" has neither an image nor a build context specified`);
    for (const other of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)) {
      if (services[other] === undefined) {
        return refuse(`service "${name}" depends on undefined service "${other}": invalid compose project`);
      }
    }
  }
  if (args.includes('config')) return say('');
  const name = args.at(-1) ?? '';
  const service = services[name];
  if (!args.includes('up') || service === undefined) return refuse(`no such service: ${name}`);
  const made = containerOf(name, service, { file, folder: after('--project-directory'), project: after('-p') });
  made.State.Running = !args.includes('--no-start');
  state.containers = [...state.containers.filter(({ Name }) => Name !== made.Name), made];
  return say('');
}

function systemctl(state: StandInState, args: readonly string[]): Answer {
  const [verb = ''] = args;
  switch (verb) {
    case 'show':
      return say(
        Object.entries(state.service)
          .map(([property, value]) => `${property}=${value}\n`)
          .join(''),
      );
    case 'start':
    case 'restart':
      state.service.ActiveState = 'active';
      return say('');
    case 'stop':
      state.service.ActiveState = 'inactive';
      return say('');
    case 'enable':
    case 'disable':
      state.service.UnitFileState = `${verb}d`;
      return say('');
    default:
      return refuse(`Unknown command verb ${verb}.`);
  }
}

/** A container as `docker compose up` makes it. */
export function containerOf(
  name: string,
  service: Service,
  { file, folder, project }: { readonly file: string; readonly folder: string; readonly project: string },
): StandInContainer {
  return {
    Id: Buffer.from(name.padEnd(32, '.')).toString('hex'),
    Name: `/${service.container_name ?? `${project}-${name}-1`}`,
    Config: {
      Image: service.image ?? '',
      Env: ['PATH=/usr/bin', 'PYTHONPATH=/app'],
      Labels: {
        'com.docker.compose.project': project,
        'com.docker.compose.service': name,
        'com.docker.compose.project.config_files': file,
        'com.docker.compose.project.working_dir': folder,
      },
    },
    HostConfig: { RestartPolicy: { Name: service.restart ?? 'no', MaximumRetryCount: 0 } },
    State: { Running: true },
    Mounts: [],
  };
}

function say(stdout: string): Answer {
  return { code: 0, stdout, stderr: '' };
}

function refuse(why: string): Answer {
  return { code: 1, stdout: '', stderr: `${why}\n` };
}

function main(folder: string, command: string, args: readonly string[]): void {
  const input = args.includes('-') ? readFileSync(0, 'utf8') : '';
  appendFileSync(`${folder}/calls`, `${[command, ...args].join(' ')}\n`);
  const state = JSON.parse(readFileSync(`${folder}/state.json`, 'utf8')) as StandInState;
  const answer = standIn(state, command, args, input);
  if (answer === undefined) {
    setInterval(() => undefined, 1_000);
    return;
  }
  writeFileSync(`${folder}/state.json`, JSON.stringify(state));
  process.stdout.write(answer.stdout);
  process.stderr.write(answer.stderr);
  process.exitCode = answer.code;
}

// Imported, it is only asked.
const [, program, folder, command, ...args] = process.argv;
if (program?.endsWith('docker-stand-in.js') === true && folder !== undefined && command !== undefined) {
  main(folder, command, args);
}
