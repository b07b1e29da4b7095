/** Adds up what the workers say of their bytes: each counts from nothing. */
import type { Carried } from '../../workers/protocol.js';

const NOTHING: Carried = { received: 0, sent: 0 };

export class CarriedByWorkers {
  #before = NOTHING;
  #now = NOTHING;

  get sum(): Carried {
    return plus(this.#before, this.#now);
  }

  heard(carried: Carried): void {
    const another = carried.received < this.#now.received || carried.sent < this.#now.sent;
    if (another) this.#before = this.sum;
    this.#now = carried;
  }
}

function plus(one: Carried, other: Carried): Carried {
  return { received: one.received + other.received, sent: one.sent + other.sent };
}
