import { formatPrefix, parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import type {
  FoundSet,
  NewSet,
  SetChange,
  SetElement,
  SetFailure,
  Sets,
} from "../../src/enforce/ipset/sets.ts";

interface Held {
  readonly set: NewSet;
  /** The end of each element in milliseconds, null for none. */
  readonly elements: Map<string, number | null>;
  readonly timeouts: boolean;
}

/** ipset in memory; `now` is the kernel's clock. Every FakeSets of one `kernel` sees the same sets. */
export class FakeSets implements Sets {
  readonly #kernel: Map<string, Held>;
  readonly #now: () => number;

  constructor(kernel: Map<string, Held> = new Map(), now: () => number = Date.now) {
    this.#kernel = kernel;
    this.#now = now;
  }

  static kernel(): Map<string, Held> {
    return new Map();
  }

  async find(name: string): Promise<FoundSet | null> {
    const held = this.#kernel.get(name);
    if (held === undefined) return null;
    const { set, timeouts } = held;
    const elements = this.#running(held).length;
    return set.type === "list:set"
      ? { name, type: set.type, family: null, timeouts: false, capacity: 0, elements }
      : { name, type: set.type, family: set.family, timeouts, capacity: set.capacity, elements };
  }

  async findAll(names: readonly string[]): Promise<ReadonlyMap<string, FoundSet>> {
    const found = new Map<string, FoundSet>();
    for (const name of names) {
      const set = await this.find(name);
      if (set !== null) found.set(name, set);
    }
    return found;
  }

  async create(set: NewSet, timeouts = true): Promise<void> {
    if (this.#kernel.has(set.name)) throw new Error(`${set.name} is there already`);
    this.#kernel.set(set.name, { set, elements: new Map(), timeouts });
  }

  async join(list: string, member: string): Promise<void> {
    this.#held(list).elements.set(member, null);
  }

  async change(changes: readonly SetChange[]): Promise<readonly SetFailure[]> {
    return changes.flatMap((change, place): SetFailure[] => {
      const held = this.#held(change.set);
      const { set, elements } = held;
      const key = formatPrefix(change.prefix);
      const isThere = this.#isRunning(held, key);
      if (change.kind === "delete") {
        elements.delete(key);
        return [];
      }
      if (change.kind === "new" && isThere) return [{ place, reason: "exists", fact: "it is there" }];
      if (!isThere && set.type !== "list:set" && this.#isFull(held, set.capacity))
        return [{ place, reason: "full", fact: "the set is full" }];
      elements.set(
        key,
        change.seconds === null || change.seconds === 0 ? null : this.#now() + change.seconds * 1000,
      );
      return [];
    });
  }

  async has(name: string, prefix: Prefix): Promise<boolean> {
    return this.#isRunning(this.#held(name), formatPrefix(prefix));
  }

  async list(name: string): Promise<readonly SetElement[]> {
    const held = this.#held(name);
    return this.#running(held).map((text) => {
      const end = held.elements.get(text) ?? null;
      const seconds = end === null ? 0 : Math.ceil((end - this.#now()) / 1000);
      return { prefix: parsePrefix(text) as Prefix, seconds };
    });
  }

  async swap(one: string, other: string): Promise<void> {
    const [a, b] = [this.#held(one), this.#held(other)];
    this.#kernel.set(one, { ...b, set: { ...b.set, name: one } });
    this.#kernel.set(other, { ...a, set: { ...a.set, name: other } });
  }

  async destroy(name: string): Promise<boolean> {
    const isMember = [...this.#kernel.values()].some(
      ({ set, elements }) => set.type === "list:set" && elements.has(name),
    );
    if (isMember) return false;
    this.#kernel.delete(name);
    return true;
  }

  async flush(name: string): Promise<void> {
    this.#held(name).elements.clear();
  }

  close(): void {}

  #held(name: string): Held {
    const held = this.#kernel.get(name);
    if (held === undefined) throw new Error(`there is no set ${name}`);
    return held;
  }

  #isRunning({ elements }: Held, key: string): boolean {
    const end = elements.get(key);
    return end !== undefined && (end === null || end > this.#now());
  }

  #isFull(held: Held, capacity: number): boolean {
    return held.elements.size >= capacity && this.#running(held).length >= capacity;
  }

  #running({ elements }: Held): readonly string[] {
    return [...elements].flatMap(([key, end]) => (end === null || end > this.#now() ? [key] : []));
  }
}
