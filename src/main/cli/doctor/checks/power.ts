/** The supply of a Pi, by what its firmware says. */
import { pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** Of Raspberry Pi's own kernels. Its bits: raspberrypi.com/documentation/computers/os.html#get_throttled. */
const THROTTLED = '/sys/devices/platform/soc/soc:firmware/get_throttled';
const UNDER_VOLTAGE_NOW = 1 << 0;
const UNDER_VOLTAGE_BEFORE = 1 << 16;

export class PowerCheck implements Check {
  readonly id = 'power';
  readonly area = 'machine';
  readonly title = 'power supply';
  readonly withinMs = 2_000;

  async run({ system, machine }: Facts): Promise<Finding> {
    const text = await system.read(THROTTLED);
    const bits = text === undefined || text === '' ? undefined : Number.parseInt(text.replace(/^0x/, ''), 16);
    return judge((await machine()).underVoltage, Number.isNaN(bits) ? undefined : bits);
  }
}

function judge(alarm: boolean | null, bits: number | undefined): Finding {
  const has = (bit: number): boolean => bits !== undefined && (bits & bit) !== 0;
  if (alarm === true || has(UNDER_VOLTAGE_NOW)) return warn('power-weak', 'too low right now');
  if (has(UNDER_VOLTAGE_BEFORE)) return warn('power-weak', 'it was too low since the start of this machine');
  if (alarm === null && bits === undefined) return skip('nothing here measures it, as this is no Pi');
  return pass(bits === undefined ? 'right' : 'right, and was since the start of this machine');
}
