/** The addresses of this machine, which the C library asks the kernel for by netlink: where that is refused, nobody knows them. */
import { networkInterfaces } from 'node:os';

export type Interfaces = ReturnType<typeof networkInterfaces>;

/** Undefined if the system refuses to tell (no file handle, a sandbox without AF_NETLINK); Node throws then. */
export function interfacesNow(): Interfaces | undefined {
  try {
    return networkInterfaces();
  } catch {
    return undefined;
  }
}
