import { BoundedMap } from "../core/bounded-map.ts";

/** Ids of the latest orders, by which a repeated order is recognised. */
export class SeenIds {
  readonly #ids: BoundedMap<string, true>;

  constructor(capacity: number) {
    this.#ids = new BoundedMap(capacity);
  }

  /** Ids that made room for others. */
  get forgotten(): number {
    return this.#ids.evicted;
  }

  /** Whether the origin has used the id before. Remembers it. */
  seen(origin: string, id: string): boolean {
    const key = keyOf(origin, id);
    if (this.#ids.has(key)) return true;
    this.#ids.set(key, true);
    return false;
  }

  /** For an order that was refused: it may be sent again. */
  forget(origin: string, id: string): void {
    this.#ids.delete(keyOf(origin, id));
  }
}

function keyOf(origin: string, id: string): string {
  return `${origin} ${id}`;
}
