/** The three ways in which the Python version lies on a Pi: its compose file, its conf, its environment. */
import { confOf, DECEMBER, dotEnvOf, GENERATIONS, type Generation } from './python-generations.js';

export interface Layout {
  readonly name: string;
  readonly composeFile: string;
  /** Name of the compose service, and of the scheduler's. */
  readonly service: string;
  readonly scheduler: string;
  readonly confFile: string;
  readonly envFile: string;
  /** Files by path. */
  readonly files: ReadonlyMap<string, string>;
  /** What the compose file says once the old service is out of it. */
  readonly composeAfter: string;
}

const BETA = GENERATIONS.find(({ name }) => name === 'with [NTP] and [Updater]') ?? DECEMBER;

function layout(
  known: Omit<Layout, 'files' | 'composeAfter'>,
  generation: Generation,
  compose: readonly [head: string, remote: string, middle: string, dependsOn: string, tail: string],
): Layout {
  const [head, remote, middle, dependsOn, tail] = compose;
  return {
    ...known,
    files: new Map([
      [known.composeFile, `${head}${remote}${middle}${dependsOn}${tail}`],
      [known.confFile, confOf(generation)],
      [known.envFile, dotEnvOf(generation)],
      ['/etc/hosts', '127.0.0.1 localhost\n127.0.0.1 nats-server\n'],
    ]),
    composeAfter: `${head}${middle}${tail}`,
  };
}

export const LAYOUTS: readonly Layout[] = [
  layout(
    {
      name: 'in the home of user pi',
      composeFile: '/home/pi/docker-compose.yaml',
      service: 'dunebugger-remote',
      scheduler: 'dunebugger-scheduler',
      confFile: '/opt/dunebugger-remote/config/dunebugger.conf',
      envFile: '/home/pi/.env',
    },
    DECEMBER,
    [
      `version: '3.8'
services:
`,
      `  dunebugger-remote:
    image: ilciclaio/dunebugger-remote:latest
    container_name: dunebugger-remote
    restart: unless-stopped
    network_mode: host  # to see the interfaces
    env_file:
      - .env
    environment:
      - PYTHONPATH=/app
    volumes:
      - /opt/dunebugger-remote/config:/app/app/config:ro
      - /proc:/host/proc:ro
    depends_on:
      - nats-server

`,
      `  dunebugger-scheduler:
    image: ilciclaio/dunebugger-scheduler:latest
    container_name: dunebugger-scheduler
    restart: unless-stopped
    network_mode: host
    volumes:
      - /opt/dunebugger-scheduler/config:/app/app/config:ro
`,
      `    depends_on:
      - dunebugger-remote
`,
      `
  # The bus
  nats-server:
    image: nats:latest
    container_name: nats-server
    restart: unless-stopped
    network_mode: host
    command: ["-m", "8222", "-DV"]
`,
    ],
  ),
  layout(
    {
      name: 'in /opt/dunebugger, the conf in remote/config',
      composeFile: '/opt/dunebugger/docker-compose.yml',
      service: 'remote',
      scheduler: 'scheduler',
      confFile: '/opt/dunebugger/remote/config/dunebugger.conf',
      envFile: '/opt/dunebugger/.env',
    },
    BETA,
    [
      `services:
`,
      `  remote:
    image: ghcr.io/marco-svitol/dunebugger-remote:1.4.0
    container_name: dunebugger-remote
    restart: unless-stopped
    network_mode: host
    env_file:
      - .env
    volumes:
      # The conf, to be edited from outside
      - /opt/dunebugger/remote/config:/app/app/config:rw
      - /var/dunebugger/updates:/var/dunebugger/updates
    depends_on:
      - nats-server

`,
      `  scheduler:
    image: ghcr.io/marco-svitol/dunebugger-scheduler:1.2.1
    container_name: dunebugger-scheduler
    restart: unless-stopped
    network_mode: host
    depends_on:
`,
      `      - remote
`,
      `      - nats-server

  nats-server:
    image: nats:2.10-alpine
    container_name: nats-server
    restart: unless-stopped
    network_mode: host
`,
    ],
  ),
  layout(
    {
      name: 'in /opt/dunebugger, the conf in config/remote, the environment in the home of user pi',
      composeFile: '/opt/dunebugger/docker-compose.yml',
      service: 'remote',
      scheduler: 'scheduler',
      confFile: '/opt/dunebugger/config/remote/dunebugger.conf',
      envFile: '/home/pi/.env',
    },
    BETA,
    [
      `x-logging: &logging
  driver: json-file
  options: {max-size: "10m", max-file: "3"}

services:
  nats-server:
    image: nats:2.10-alpine
    container_name: nats-server
    logging: *logging
`,
      `
  remote:
    image: ghcr.io/marco-svitol/dunebugger-remote:1.5.0-beta.2
    container_name: dunebugger-remote
    restart: unless-stopped
    logging: *logging
    env_file:
      - path: /home/pi/.env
        required: true
    volumes:
      - type: bind
        source: ./config/remote
        target: /app/app/config
`,
      `
  scheduler:
    image: ghcr.io/marco-svitol/dunebugger-scheduler:1.3.0
    container_name: dunebugger-scheduler
    logging: *logging
    depends_on:
      nats-server:
        condition: service_started
`,
      `      remote:
        condition: service_started
        required: false
`,
      `    restart: unless-stopped
`,
    ],
  ),
];
