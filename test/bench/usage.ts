/** What a process and its children use, from the kernel's own books. */
import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from '../support/process.js';

export interface Used {
  /** Processor time since the start, of all threads and of the children that live, milliseconds. */
  readonly cpuMs: number;
  /** Resident memory of the process itself, bytes. */
  readonly rssBytes: number;
  /** That of its children. */
  readonly childrenRssBytes: number;
}

export function usageOf(pid: number): Used {
  const children = childrenOf(pid);
  return {
    cpuMs: [pid, ...children].reduce((sum, one) => sum + cpuMsOf(one), 0),
    rssBytes: rssBytesOf(pid),
    childrenRssBytes: children.reduce((sum, one) => sum + rssBytesOf(one), 0),
  };
}

/**
 * The scheduler's own account (schedstat, nanoseconds on a processor): utime and stime of proc(5) come in ticks of 10 ms, more
 * than a check takes.
 */
function cpuMsOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).reduce((sum, thread) => {
    const [runNs = ''] = readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(runNs) / 1e6;
  }, 0);
}

function rssBytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
