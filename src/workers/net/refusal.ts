/**
 * Whose trouble an error's code is: the network's, or this machine's own, which refuses a call (no file handle, no memory, a sandbox)
 * and so says nothing about the internet. Pure.
 */

/** What this machine lacks, in words for the log that complete "the system refuses it: ...". By errno. */
const WORDS: Readonly<Record<string, string>> = {
  // socket(2), open(2), pipe(2): RLIMIT_NOFILE of the process, fs.file-max of the machine.
  EMFILE: 'this process has no file handle left',
  ENFILE: 'this machine has no file handle left',
  // socket(2), connect(2), send(2), netlink(7).
  ENOBUFS: 'the kernel has no memory for it',
  ENOMEM: 'there is no memory for it',
  // fork(2), pthread_create(3): RLIMIT_NPROC, the pids of the cgroup; connect(2) and bind(2): no port left.
  EAGAIN: 'there is no process, thread or port left for it',
  // socket(2), connect(2), sendto(2): seccomp, an LSM, the firewall of this machine.
  EACCES: 'it is forbidden by the sandbox or the firewall of this machine',
  EPERM: 'it is forbidden by the sandbox or the firewall of this machine',
  // socket(2): RestrictAddressFamilies of systemd.exec(5), or a kernel without it.
  EAFNOSUPPORT: 'the sandbox or the kernel lacks that kind of socket',
  EPROTONOSUPPORT: 'the sandbox or the kernel lacks that kind of socket',
  // open(2), write(2), epoll_ctl(2).
  EIO: 'the disk fails',
  EROFS: 'the disk is read-only',
  ENOSPC: 'there is no room for it',
  EDQUOT: 'there is no room for it',
  ENOSYS: 'the sandbox or the kernel lacks that call',
  // Node: a thread could not be started; its message has the errno.
  ERR_WORKER_INIT_FAILED: 'there is no thread or memory for it',
  // Node: one of `node:os`, which has no errno of its own.
  ERR_SYSTEM_ERROR: 'the system could not answer',
};

/** What the network does to a connection or a datagram: connect(2), tcp(7), ip(7), icmp(7). */
const OF_THE_NETWORK: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENONET',
  'EADDRNOTAVAIL',
  'EMSGSIZE',
  'EPROTO',
  'ENOPROTOOPT',
  'EOPNOTSUPP',
  // A route of type blackhole.
  'EINVAL',
  // An address or a name that ended meanwhile: nothing is refused.
  'ENOENT',
  'ENODEV',
  'ENXIO',
  'ENOTDIR',
  'ENOTCONN',
  'ECANCELED',
]);

/**
 * Codes without an errno behind them: c-ares (ares_strerror(3)), and our own. Its `ENOMEM` is ours, by the default; `EFILE` is a resolv.conf that is
 * wrong, which has troubles of its own.
 */
const OF_NO_ERRNO: ReadonlySet<string> = new Set([
  'ENODATA',
  'EFORMERR',
  'ESERVFAIL',
  'ENOTFOUND',
  'ENOTIMP',
  'EREFUSED',
  'EBADQUERY',
  'EBADNAME',
  'EBADFAMILY',
  'EBADRESP',
  'ETIMEOUT',
  'EFILE',
  'EOF',
  'EDESTRUCTION',
  'EBADSTR',
  'EBADFLAGS',
  'ENONAME',
  'EBADHINTS',
  'ECANCELLED',
  'ENOSERVERS',
  'ECONNECTION',
  'EUNKNOWN',
]);

/** True if this machine itself refused the call. By class: an errno that the network cannot cause is ours; a code of TLS or HTTP is not. */
export function isRefusal(code: string | undefined): boolean {
  if (code === undefined) return false;
  if (code in WORDS) return true;
  return /^E[A-Z0-9]+$/.test(code) && !OF_THE_NETWORK.has(code) && !OF_NO_ERRNO.has(code);
}

/** Such as `EMFILE, this process has no file handle left`. */
export function refusalWords(code: string): string {
  const words = WORDS[code];
  return words === undefined ? code : `${code}, ${words}`;
}

/** The code of an error that is a refusal; undefined for every other error. */
export function refusalOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && isRefusal(code) ? code : undefined;
}
