/** The temperature of the processor. */
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/**
 * Degrees Celsius: between these a Pi slows its processor down, beyond it the graphics, too
 * (raspberrypi.com/documentation/computers/config_txt.html, "Monitoring core temperature").
 */
const HOT_C = 80;
const TOO_HOT_C = 85;

export class HeatCheck implements Check {
  readonly id = 'heat';
  readonly area = 'machine';
  readonly title = 'temperature';
  readonly withinMs = 2_000;

  async run({ machine }: Facts): Promise<Finding> {
    const { temperatureC } = await machine();
    if (temperatureC === null) return skip('nothing here measures it');
    const words = `${temperatureC} °C`;
    if (temperatureC >= TOO_HOT_C) return fail('too-hot', words);
    return temperatureC >= HOT_C ? warn('too-hot', words) : pass(words);
  }
}
