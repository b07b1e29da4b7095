/** What systemd says of the service. */
import { TROUBLES } from '../../../troubles.js';
import { whyNoAnswer, type UnitProperties } from '../../service-state.js';
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

export class UnitCheck implements Check {
  readonly id = 'unit';
  readonly area = 'service';
  readonly title = 'systemd unit';
  readonly withinMs = 4_000;

  async run({ unit, service }: Facts): Promise<Finding> {
    const properties = await unit();
    // Started by hand it has none, and needs none.
    const answers = properties['LoadState'] !== 'loaded' && (await service()).kind === 'snapshot';
    return judge(properties, answers);
  }
}

function judge(unit: UnitProperties, answersWithoutUnit: boolean): Finding {
  if (answersWithoutUnit) return skip('the service runs without systemd');
  if (unit['LoadState'] === undefined) return skip('there is no systemd here, or it does not answer');
  if (unit['LoadState'] !== 'loaded') return fail('service-absent', 'systemd has no such unit');
  const state = `${unit['ActiveState'] ?? ''} (${unit['SubState'] ?? ''})`;
  if (unit['ActiveState'] !== 'active' && unit['ActiveState'] !== 'reloading') {
    const trouble = whyNoAnswer('absent', unit, undefined);
    const bad = trouble === 'service-starting' ? warn : fail;
    return bad(trouble, unit['Result'] === 'success' ? state : `${state}, ${unit['Result'] ?? ''}`);
  }
  if (unit['NeedDaemonReload'] === 'yes') return warn('unit-outdated', state);
  const restarts = Number(unit['NRestarts'] ?? '0');
  if (restarts > 0) return warn('unit-restarts', restarts === 1 ? 'once' : `${restarts} times`);
  if (unit['UnitFileState'] === 'disabled') return warn('unit-disabled', TROUBLES['unit-disabled'].title);
  return pass(`${state}, ${unit['UnitFileState'] ?? ''}`);
}
