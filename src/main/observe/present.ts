/** Which rows of the table of troubles are present now. Pure. */
import { betterUplink } from '../evidence-text.js';
import type { TroubleCode } from '../troubles.js';
import type { CloudFailure, CloudPart, Parts } from './parts.js';

export function troublesPresent({
  daemon,
  internet,
  cloud,
  bus,
  components,
  secondRemote,
  clock,
}: Parts): TroubleCode[] {
  const present: TroubleCode[] = [];
  if (daemon.problem !== undefined) present.push('not-healthy');
  if (internet?.lastEvidence?.refused !== undefined) present.push('system-refuses');
  if (internet?.lastEvidence?.packets?.ok === false) present.push('large-packets-lost');
  if (internet?.verdict === 'offline' && betterUplink(internet.lastEvidence?.link) !== undefined)
    present.push('wrong-uplink');
  if (internet?.verdict === 'offline')
    present.push(...(internet.reason === undefined ? [] : [internet.reason]), 'no-internet');
  else if (internet?.lastEvidence?.siteReason !== undefined) present.push('test-site-down');
  if (internet?.verdict === 'online' && cloud !== undefined) present.push(...cloudTroubles(cloud));
  if (bus === 'down') present.push('bus-away');
  if (bus !== 'off' && components.some(({ state }) => state === 'not_responding')) present.push('component-away');
  if (secondRemote !== null) present.push('second-remote');
  if (clock.farOffMs !== undefined) present.push('clock-far-off');
  if (clock.trusted === false) present.push('clock-untrusted');
  return present;
}

/** An attempt that is under way is no trouble, but what the last one failed of is. */
function cloudTroubles({ kind, lastFailure }: CloudPart): TroubleCode[] {
  if (kind === 'recovering') return ['cloud-interrupted'];
  if (kind !== 'backing-off' && kind !== 'connecting') return [];
  if (lastFailure !== undefined) return [troubleOf(lastFailure)];
  return kind === 'backing-off' ? ['cloud-lost'] : [];
}

/** By the same marks as the lines of the journal (`connection/narration.ts`). */
function troubleOf({ kind, status, refusal, signInUnanswered }: CloudFailure): TroubleCode {
  switch (kind) {
    case 'refused':
      return 'sign-in-refused';
    case 'throttled':
      return status === undefined || status === 429 ? 'cloud-throttled' : 'cloud-busy';
    case 'failed':
      if (refusal !== undefined) return 'system-refuses';
      return signInUnanswered === true ? 'sign-in-unanswered' : 'cloud-failed';
  }
}
