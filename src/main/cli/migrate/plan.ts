/** What there is to do, in which order, and what is in the way. Decides only; whoever carries it out changes the machine. */
import { withoutRemote } from './compose-edit.js';
import { containersOf, type Container } from './docker.js';
import type { Found } from './find.js';
import type { Entry } from './journal.js';
import type { Ours } from './ours.js';
import * as places from './places.js';
import { planSettings } from './plan-settings.js';
import type { Plan, PlanInput, Step } from './step.js';

export function planMove(input: PlanInput): Plan {
  const { found, ours, done, live } = input;
  const remotes = containersOf(found.docker, 'remote');
  const steps: Step[] = [];
  const notes: string[] = [...found.missing];
  const problems: string[] = [...found.unreadable, ...ours.unreadable];
  const anything =
    found.composeFiles.length > 0 || found.conf !== undefined || found.variables.length > 0 || remotes.length > 0;
  if (found.docker.kind === 'failing') {
    problems.push(
      `Docker does not answer as it should, so nobody knows what runs: ${found.docker.why}. Mend it first (systemctl status docker), or remove it`,
    );
  }
  if (!anything && done.length === 0) return { found: false, steps, notes, problems, settingsProblems: [] };

  const settings = planSettings(input);
  steps.push(...settings.steps);
  notes.push(...settings.notes);
  for (const { path, text } of found.composeFiles) {
    const edit = withoutRemote(text);
    if (edit.kind === 'impossible') {
      problems.push(
        `${path} ${edit.why}: take the service ${places.OLD_REMOTE} out of it by hand, then run this again`,
      );
    }
    if (edit.kind !== 'edited') continue;
    const { removed, freed } = edit;
    steps.push({
      kind: 'write',
      role: 'compose',
      path,
      text: edit.text,
      what: `${path}: take out ${[
        ...(removed.length > 0 ? [`the service ${removed.join(' and ')}`] : []),
        ...freed.map((name) => `the \`depends_on\` of ${name} on it`),
      ].join(' and ')}`,
      why: removed.length > 0 ? 'or `docker compose up` brings the old one back' : 'nothing of that name is left',
      details: [],
    });
  }
  steps.push(...remotes.flatMap((container) => containerStep(container, found, done) ?? []));
  if (!ours.installed) {
    const sentence = `${places.UNIT} is not installed ${live ? 'here' : 'there'}`;
    if (live) problems.push(`${sentence}, so nothing would take the old one's place: install the package first`);
    else notes.push(`${sentence}: install the package, or nothing takes the old one's place`);
  }
  steps.push(...serviceSteps(steps, ours, done));
  if (schedulerIsDue(steps, done)) {
    const running = containersOf(found.docker, 'scheduler').filter((scheduler) => scheduler.running);
    steps.push(...running.map(schedulerStep));
  }
  if (found.docker.kind === 'absent') notes.push('There is no Docker here, so there is no container to stop');
  if (!live && found.composeFiles.length > 0) {
    notes.push(
      'The old container itself is still in the Docker of that system, and starts with it: run `sudo dunebugger-remote migrate --apply` there once more',
    );
  }
  return { found: true, steps, notes, problems, settingsProblems: settings.problems };
}

function containerStep(
  container: Container,
  { composeFiles, docker }: Found,
  done: readonly Entry[],
): Step | undefined {
  const { name, running, restart, compose } = container;
  const state = running ? `running, restart ${restart}` : `stopped, restart ${restart}`;
  // The service is in it, or will be when an undo has put the file back.
  const hasIt = (file: string): boolean =>
    [...composeFiles, ...done].some((each) => 'path' in each && each.path === file);
  const hasCompose = docker.kind === 'there' && docker.compose !== undefined;
  if (hasCompose && compose !== undefined && compose.files.length > 0 && compose.files.every(hasIt)) {
    return {
      kind: 'remove-container',
      container,
      what: `Stop and remove the container ${name} (${state})`,
      why: 'two remotes at once send every command to core twice',
      details: [],
    };
  }
  if (!running && restart === 'no') return undefined;
  return {
    kind: 'retire-container',
    container,
    what: `Stop the container ${name} (${state}) for good; it is kept, since nothing could make it anew`,
    why: 'two remotes at once send every command to core twice',
    details: [],
  };
}

function serviceSteps(steps: readonly Step[], { service, installed }: Ours, done: readonly Entry[]): readonly Step[] {
  if (service === undefined || !installed) return [];
  const settingsChange = steps.some((step) => step.kind === 'write' && step.role !== 'compose');
  // What was moved by hand and is stopped on purpose stays so; what an earlier run did not come to is made up for.
  const due = steps.length > 0 || (done.length > 0 && !done.some(({ kind }) => kind === 'service'));
  if (!settingsChange && (service.active || !due)) return [];
  return [
    {
      kind: 'start-service',
      before: service,
      what: `${service.active ? 'Restart' : 'Start'} ${places.UNIT}${service.enabled ? '' : ', and enable it'}`,
      why: 'it takes the place of the old one, with what was written',
      details: [],
    },
  ];
}

/** Whatever it depended on goes now, or went in an earlier run that did not come to the scheduler. */
function schedulerIsDue(steps: readonly Step[], done: readonly Entry[]): boolean {
  const goesNow = steps.some(({ kind, ...step }) => isRemoval(kind) || ('role' in step && step.role === 'compose'));
  const went = done.some((entry) => isRemoval(entry.kind) || (entry.kind === 'file' && entry.role === 'compose'));
  return goesNow || (went && !done.some(({ kind }) => kind === 'container-restarted'));
}

function isRemoval(kind: Step['kind'] | Entry['kind']): boolean {
  return ['remove-container', 'retire-container', 'container-removed', 'container-retired'].includes(kind);
}

function schedulerStep({ name }: Container): Step {
  return {
    kind: 'restart-container',
    name,
    what: `Restart the container ${name}`,
    why: 'it depended on the old one; at its start it asks the new one for the clock',
    details: [],
  };
}
