/** What the operator reads. Pure. */
import { containersOf } from './docker.js';
import type { Found } from './find.js';
import * as places from './places.js';
import type { Plan, Step } from './step.js';

export function foundLines({ composeFiles, conf, envFiles, docker }: Found): readonly string[] {
  const services = (path: string): string => {
    const reading = composeFiles.find((file) => file.path === path)?.reading;
    const names = reading?.kind === 'services' ? reading.services.filter(({ role }) => role === 'remote') : [];
    return names.length === 0 ? '' : ` (service ${names.map(({ name }) => name).join(', ')})`;
  };
  const rows: [string, readonly string[]][] = [
    ['conf', conf === undefined ? [] : [conf.path]],
    ['environment', envFiles],
    ['compose file', composeFiles.map(({ path }) => `${path}${services(path)}`)],
    [
      'container',
      containersOf(docker, 'remote').map(
        ({ name, running, restart }) => `${name}, ${running ? 'running' : 'stopped'}, restart ${restart}`,
      ),
    ],
  ];
  return [
    'Found of the Python version:',
    ...rows.flatMap(([what, each]) =>
      (each.length === 0 ? ['none'] : each).map((text) => `  ${what.padEnd(13)} ${text}`),
    ),
  ];
}

export function stepLines({ what, why, details }: Step, number: number): readonly string[] {
  return [`  ${number}. ${what}`, `     ${why}`, ...details.map((line) => `       ${line}`)];
}

export function planLines(plan: Plan): readonly string[] {
  return [
    ...(plan.steps.length === 0 ? [] : ['', 'To do, in this order:']),
    ...plan.steps.flatMap((step, index) => stepLines(step, index + 1)),
    ...list('Worth knowing:', plan.notes),
    ...list('In the way:', plan.problems),
    ...list('The service would not start with these settings:', plan.settingsProblems),
  ];
}

export function nothingFoundLines(root: string): readonly string[] {
  const below = root === '/' ? 'here' : `below ${root}`;
  return [
    `Nothing of the Python version was found ${below}: no container ${places.OLD_REMOTE}, no compose file with it in`,
    `${[...places.COMPOSE_FOLDERS, 'the homes of users'].join(', ')}, no conf in ${places.CONF_FOLDERS.join(', ')}.`,
  ];
}

function list(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  - ${line}`)];
}
