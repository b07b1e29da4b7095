/**
 * What happens when, to whom: a wheel of one slot a millisecond. Each node (one kind of event of one device) is on it at most once, so that
 * a hundred thousand devices with forty million events need no heap and no garbage.
 */
const NOWHERE = -1;

export class Agenda {
  readonly horizonMs: number;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #before: Int32Array;
  readonly #at: Int32Array;
  #nowMs = 0;

  /** Nothing is noted beyond the horizon. */
  constructor(nodes: number, horizonMs: number) {
    this.horizonMs = horizonMs;
    this.#heads = new Int32Array(horizonMs + 1).fill(NOWHERE);
    this.#next = new Int32Array(nodes).fill(NOWHERE);
    this.#before = new Int32Array(nodes).fill(NOWHERE);
    this.#at = new Int32Array(nodes).fill(NOWHERE);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Instead of what the node had noted; never before now. */
  set(node: number, atMs: number): void {
    this.clear(node);
    const slot = Math.max(this.#nowMs, Math.ceil(atMs));
    if (slot > this.horizonMs) return;
    const head = this.#heads[slot]!;
    this.#heads[slot] = node;
    this.#next[node] = head;
    this.#before[node] = NOWHERE;
    if (head !== NOWHERE) this.#before[head] = node;
    this.#at[node] = slot;
  }

  clear(node: number): void {
    const slot = this.#at[node]!;
    if (slot === NOWHERE) return;
    const next = this.#next[node]!;
    const before = this.#before[node]!;
    if (before === NOWHERE) this.#heads[slot] = next;
    else this.#next[before] = next;
    if (next !== NOWHERE) this.#before[next] = before;
    this.#at[node] = NOWHERE;
  }

  run(happens: (node: number, atMs: number) => void): void {
    for (; this.#nowMs <= this.horizonMs; this.#nowMs += 1) {
      for (let node = this.#heads[this.#nowMs]!; node !== NOWHERE; node = this.#heads[this.#nowMs]!) {
        this.clear(node);
        happens(node, this.#nowMs);
      }
    }
  }
}
