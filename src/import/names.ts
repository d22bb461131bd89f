import { NAME } from "../schema/values.ts";

/** Makes valid, distinct names from any text. */
export class Names {
  readonly #taken = new Set<string>();
  /** The number last appended to each name. */
  readonly #numbers = new Map<string, number>();

  /** A valid name, whether taken or not. */
  valid(text: string): string {
    const bare = text
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, MOST);
    return NAME.test(bare) ? bare : "unnamed";
  }

  take(text: string): string {
    const base = this.valid(text);
    let name = base;
    while (this.#taken.has(name)) {
      const number = (this.#numbers.get(base) ?? 1) + 1;
      this.#numbers.set(base, number);
      name = `${base}-${number}`;
    }
    this.#taken.add(name);
    return name;
  }
}

/** Characters; leaves room for a number. */
const MOST = 56;
