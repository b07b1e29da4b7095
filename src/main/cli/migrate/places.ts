/**
 * Where the Python version lives on a Pi, and by which names it is known. From its public installer (`dunebugger-install`) and the
 * compose files of its releases, December 2025 to February 2026.
 */

/** What the old component and the scheduler are called: their images (the last part of the path), containers and compose services. */
export const OLD_REMOTE = 'dunebugger-remote';
export const SCHEDULER = 'dunebugger-scheduler';

/** Compose services of the newer installations; the older ones are called like their containers. */
export const SHORT_SERVICE = { remote: 'remote', scheduler: 'scheduler' } as const;

/** The names that Docker Compose looks for, in its order. */
export const COMPOSE_NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml'] as const;

/** Folders with a compose file, the newest installation first; the homes of users follow. */
export const COMPOSE_FOLDERS = ['/opt/dunebugger', '/opt/dunebugger-remote'] as const;

/** Where a container finds its conf; what is mounted there is the conf's folder. */
export const CONF_IN_CONTAINER = '/app/app/config';

/** Folders of the conf, for where no compose file and no container says it. */
export const CONF_FOLDERS = [
  '/opt/dunebugger/remote/config',
  '/opt/dunebugger/config/remote',
  '/opt/dunebugger-remote/config',
  '/etc/dunebugger-remote/config',
] as const;

export const CONF_NAME = 'dunebugger.conf';
export const ENV_NAME = '.env';

/** Ours. */
export const OUR_FOLDER = '/etc/dunebugger-remote';
export const OUR_CONF = `${OUR_FOLDER}/dunebugger.conf`;
export const OUR_ENVIRONMENT = `${OUR_FOLDER}/environment`;
/** What was done. Not in /var/lib/dunebugger-remote, which the service's user may write: an undo believes it. */
export const JOURNAL = `${OUR_FOLDER}/migration.json`;
export const UNIT = 'dunebugger-remote.service';
/** Where systemd finds units, in its order. */
export const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'] as const;

/** Ends of the names of what is kept beside a file. */
export const BACKUP_ENDING = '.before-migrate';
export const EDITED_ENDING = '.edited-after-migrate';
