/** Another remote beside the service: the old container, or the same program started by hand. */
import { plain } from '../../../troubles.js';
import { lookAtContainers } from '../../migrate/docker.js';
import { runCommandsIn } from '../../migrate/commands.js';
import { fail, pass, skip, AS_ROOT, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';
import type { System } from '../system.js';

const DOCKER_MS = 2_500;

export class SecondRemoteCheck implements Check {
  readonly id = 'second-remote';
  readonly area = 'service';
  readonly title = 'second remote';
  readonly withinMs = 6_000;

  async run({ system, unit, service }: Facts): Promise<Finding> {
    const answer = await service();
    const seen = answer.kind === 'snapshot' ? answer.snapshot.secondRemote : null;
    if (seen !== null) return fail('second-remote', seen === 'group' ? 'it speaks in our group' : 'it is on our bus');
    const [docker, byHand] = await Promise.all([
      lookAtContainers(runCommandsIn(process.env), DOCKER_MS),
      byHandBeside(system, (await unit())['MainPID']),
    ]);
    if (byHand !== undefined) return fail('second-remote', `process ${byHand} runs it, too`, `sudo kill ${byHand}`);
    if (docker.kind === 'failing')
      return skip(`Docker does not say what runs in it: ${plain(docker.why)}`, system.uid === 0 ? undefined : AS_ROOT);
    const old = docker.kind === 'there' ? docker.containers.find((one) => one.role === 'remote') : undefined;
    if (old?.running === true) return fail('second-remote', `the container ${old.name} runs`);
    if (old !== undefined && old.restart !== 'no') {
      return fail('second-remote', `the container ${old.name} comes back with the next start of Docker`);
    }
    return pass('none');
  }
}

/** A process of ours in the service's own network that is not the service; only where there is one. */
async function byHandBeside(system: System, mainPid: string | undefined): Promise<string | undefined> {
  if (mainPid === undefined || mainPid === '0') return undefined;
  const network = await system.linkName(`/proc/${mainPid}/ns/net`);
  if (network === undefined) return undefined;
  for (const pid of (await system.list('/proc')).filter((name) => /^\d+$/.test(name) && name !== mainPid)) {
    const words = (await system.words(`/proc/${pid}/cmdline`)) ?? [];
    const isOurs =
      words.some((word) => /(?:^|\/)dunebugger-remote(?:\/.*\/cli\.js)?$/.test(word)) && words.includes('run');
    if (isOurs && (await system.linkName(`/proc/${pid}/ns/net`)) === network) return pid;
  }
  return undefined;
}
