import { NAME } from "../config/values.ts";

/** Makes names of ours of any text, each one different. */
export class Names {
  readonly #taken = new Set<string>();
  /** What was last put behind a name. */
  readonly #numbers = new Map<string, number>();

  take(wanted: string): string {
    const bare = wanted
      .replace(/[^A-Za-z0-9._-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, MOST);
    const base = NAME.test(bare) ? bare : "unnamed";
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

/** Leaves room for a number behind it. */
const MOST = 56;
