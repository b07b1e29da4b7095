/** What is known of the cloud connection before one of our own is tried. */
import type { Snapshot } from '../../observe/snapshot.js';
import { TROUBLES } from '../../troubles.js';
import { skipBehind } from './blame.js';
import { AS_ROOT, skip, type Finding } from './check.js';
import type { CloudTrial } from './cloud-trial.js';
import type { Facts } from './facts.js';

export type CloudWord =
  | { readonly kind: 'connected'; readonly cloud: NonNullable<Snapshot['cloud']> }
  /** The service knows why not, and to try again would only make it worse. */
  | { readonly kind: 'told'; readonly failure: NonNullable<NonNullable<Snapshot['cloud']>['lastFailure']> }
  /** It is not to be looked at. */
  | { readonly kind: 'skip'; readonly finding: Finding }
  /** Nobody can tell but a connection of our own. `cloud`: what the service says of its one. */
  | { readonly kind: 'try'; readonly cloud: Snapshot['cloud'] };

export async function cloudWord({ service, configuration, internet, deep }: Facts): Promise<CloudWord> {
  const [answer, { settings, hidden, problems }] = await Promise.all([service(), configuration()]);
  if (!settings.websocketEnabled) return { kind: 'skip', finding: skip('websocketEnabled is False') };
  const cloud = answer.kind === 'snapshot' ? answer.snapshot.cloud : null;
  if (cloud?.state === 'connected' && !deep) return { kind: 'connected', cloud };
  const evidence = await internet();
  const behind = skipBehind('sign-in', evidence);
  if (behind !== undefined) return { kind: 'skip', finding: behind };
  const failure = cloud?.lastFailure ?? null;
  if (failure !== null && failure.kind !== 'failed' && !deep) return { kind: 'told', failure };
  if (evidence?.ok !== true) return { kind: 'skip', finding: skip('nothing is known of the internet') };
  if (problems.length > 0) return { kind: 'skip', finding: skip(TROUBLES['configuration-wrong'].title) };
  if (hidden.length > 0) return { kind: 'skip', finding: skip('this user may not read the secrets', AS_ROOT) };
  return { kind: 'try', cloud };
}

type Told = Extract<CloudWord, { kind: 'told' }>['failure'];

/** What a check of the cloud connection says to each of them. */
export interface CloudAnswers {
  readonly connected: (cloud: NonNullable<Snapshot['cloud']>) => Finding;
  /** Default: the sign-in's check says it. */
  readonly told?: (failure: Told) => Finding;
  readonly tried: (trial: CloudTrial, ofService: Snapshot['cloud']) => Finding | Promise<Finding>;
}

/** Behind the sign-in, which says why. */
export const SEE_SIGN_IN = skip('not looked at: see the sign-in');

export async function cloudFinding(facts: Facts, { connected, told, tried }: CloudAnswers): Promise<Finding> {
  const word = await cloudWord(facts);
  switch (word.kind) {
    case 'skip':
      return word.finding;
    case 'connected':
      return connected(word.cloud);
    case 'told':
      return told === undefined ? SEE_SIGN_IN : told(word.failure);
    case 'try':
      return tried(await facts.cloud(), word.cloud);
  }
}
