/** Is a component there? The service knows; only without it the component is asked. */
import type { Component } from '../../../remote/messages.js';
import { fail, pass, skip, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** The front end's names. */
const NAMES: Readonly<Record<Component, string>> = { core: 'dunebugger', scheduler: 'scheduler' };

export class ComponentCheck implements Check {
  readonly area = 'components';
  readonly withinMs = 7_000;

  constructor(readonly id: Component) {}

  get title(): string {
    return this.id;
  }

  async run({ configuration, service, bus }: Facts): Promise<Finding> {
    const [{ settings }, answer] = await Promise.all([configuration(), service()]);
    if (!settings.mQueueEnabled) return skip('mQueueEnabled is False');
    if (answer.kind === 'none') return judge(this.id, await bus());
    const { snapshot } = answer;
    if (snapshot.bus !== 'up') return skip('not looked at: the bus is not there');
    const part = snapshot.components.find(({ name }) => name === NAMES[this.id]);
    switch (part?.state) {
      case 'running':
        return pass(part.version === null ? 'answers' : `answers, version ${part.version}`);
      case 'not_responding':
        return fail('component-away', `${this.id} has said nothing for 45 s`);
      default:
        return skip('not heard yet; ask again in a minute');
    }
  }
}

export function judge(name: Component, { outcome, heard }: Awaited<ReturnType<Facts['bus']>>): Finding {
  if (outcome !== 'up' || heard === undefined) return skip('not looked at: the bus is not there');
  return heard.has(name) ? pass('answers') : fail('component-away', `${name} did not answer within 2 s`);
}
