/** A queue whose `shift` costs the same at any length. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) this.#compact();
    return item;
  }

  /** Puts an item where `before` first holds for the one behind it. */
  insert(item: T, before: (other: T) => boolean): void {
    this.#compact();
    const at = this.#items.findIndex(before);
    this.#items.splice(at === -1 ? this.#items.length : at, 0, item);
  }

  /** Empties the queue. */
  takeAll(): readonly T[] {
    this.#compact();
    return this.#items.splice(0);
  }

  #compact(): void {
    this.#items.splice(0, this.#head);
    this.#head = 0;
  }
}
