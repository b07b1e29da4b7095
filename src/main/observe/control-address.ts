/** Where the control socket is: handed over by systemd, or made by ourselves. Pure. */
import path from 'node:path';

export type ControlAddress =
  /** A listening socket that systemd made (sd_listen_fds(3)). */
  | { readonly kind: 'handed-over'; readonly fd: number }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'none' };

type Env = Readonly<Record<string, string | undefined>>;

/** SD_LISTEN_FDS_START of sd_listen_fds(3). */
const FIRST_FD = 3;
/** Where `conf/dunebugger-remote.socket` puts it. */
const OF_SOCKET_UNIT = '/run/dunebugger-remote.sock';
/** In the service's RuntimeDirectory, where no socket unit is. */
const OF_SERVICE = '/run/dunebugger-remote/control.sock';

/** `setting`: `auto`, `off` or an absolute path, which counts even if systemd hands a socket over. */
export function controlAddress(setting: string, env: Env, pid: number): ControlAddress {
  if (setting === 'off') return { kind: 'none' };
  if (setting !== 'auto') return { kind: 'path', path: setting };
  const count = Number(env['LISTEN_FDS'] ?? '0');
  if (env['LISTEN_PID'] === String(pid) && Number.isInteger(count) && count > 0) {
    return { kind: 'handed-over', fd: FIRST_FD };
  }
  const made = ownPath(env);
  return made === undefined ? { kind: 'none' } : { kind: 'path', path: made };
}

/** Where to look for a running daemon, the likeliest first. `setting` as above. */
export function addressesToTry(setting: string, env: Env): readonly string[] {
  if (setting !== 'auto' && setting !== 'off') return [setting];
  const made = ownPath(env);
  return [...new Set([OF_SOCKET_UNIT, OF_SERVICE, ...(made === undefined ? [] : [made])])];
}

function ownPath(env: Env): string | undefined {
  const [runtime] = (env['RUNTIME_DIRECTORY'] ?? '').split(':');
  if (runtime !== undefined && runtime !== '') return path.join(runtime, 'control.sock');
  const user = env['XDG_RUNTIME_DIR'] ?? '';
  return path.isAbsolute(user) ? path.join(user, 'dunebugger-remote.sock') : undefined;
}
