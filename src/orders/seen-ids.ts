/** Ids of the latest orders, so that the same order twice counts once. Bounded: the oldest is forgotten and counted. */
export class SeenIds {
  readonly #capacity: number;
  readonly #ids = new Set<string>();
  #forgotten = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  /** Whether the origin has used the id before; it has from now on. */
  seen(origin: string, id: string): boolean {
    const key = keyOf(origin, id);
    if (this.#ids.has(key)) return true;
    this.#ids.add(key);
    if (this.#ids.size <= this.#capacity) return false;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      this.#forgotten++;
      break;
    }
    return false;
  }

  /** Takes back that it was used: its order came to nothing, and may be given again. */
  forget(origin: string, id: string): void {
    this.#ids.delete(keyOf(origin, id));
  }
}

function keyOf(origin: string, id: string): string {
  return `${origin} ${id}`;
}
