import { setTimeout as sleep } from "node:timers/promises";
import { isV4 } from "../../core/address.ts";
import { StoplogError } from "../../core/errors.ts";
import { isHost, type Prefix, samePrefix } from "../../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";
import type { Enforced, Enforcement, Refusal } from "../enforcer.ts";
import type { IpsetTarget } from "./kind.ts";
import type { Tables } from "../iptables/tables.ts";
import { refused } from "../last-changes.ts";
import type { Place, Reload } from "../admin-sets/place.ts";
import { clockFrom } from "../ruleset/standing-sets.ts";
import { listOf, MARKS, type OurSet, setsOf } from "./names.ts";
import { hasRules, obstaclesTo, placeRules, removeRules } from "./rules.ts";
import { MOST_SECONDS, type SetChange, type SetElement, type Sets } from "./sets.ts";

export interface MadeSetsOptions {
  readonly sets: Sets;
  readonly tables: Readonly<Record<"v4" | "v6", Tables>>;
  /** The most bans in each set. */
  readonly capacity: number;
}

/** Four sets of our own for a target, in a list that one rule for each family matches. */
export class MadeSets implements Place {
  readonly target: string;
  readonly #ways: readonly IpsetTarget[];
  readonly #options: MadeSetsOptions;
  readonly #list: string;
  readonly #ours: readonly OurSet[];

  /** `ways` are all entries of the target that need our own sets: they share the sets, and each has its rules. */
  constructor(target: string, ways: readonly IpsetTarget[], options: MadeSetsOptions) {
    this.target = target;
    this.#ways = ways;
    this.#options = options;
    this.#list = listOf(target);
    this.#ours = setsOf(target);
  }

  /** Creates what is missing. Rejects with a StoplogError. */
  async open(): Promise<void> {
    const { sets, tables } = this.#options;
    const list = await sets.find(this.#list);
    if (list === null) await sets.create({ name: this.#list, type: "list:set" });
    else if (list.type !== "list:set") throw notOurs(this.#list);
    for (const set of this.#ours) {
      await this.#openSet(set);
      await sets.join(this.#list, set.name);
    }
    await placeRules(tables.v4, this.#list, this.#ways);
    await placeRules(tables.v6, this.#list, this.#ways);
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    return this.#change(changes, clockFrom(now), "name");
  }

  /** Fills spare sets, then swaps them with the ones in use. */
  async reload(now: Instant): Promise<Reload> {
    const clock = clockFrom(now);
    for (const set of this.#ours) {
      const found = await this.#options.sets.find(set.name);
      if (found === null) await this.#create(set, set.name, 0);
      await this.#makeSpare(set, found?.elements ?? 0);
    }
    return {
      take: (changes) => this.#change(changes, clock, "spare"),
      finish: async () => {
        for (const set of this.#ours) await this.#useSpare(set);
        return [];
      },
    };
  }

  async list(now: Instant): Promise<readonly Enforced[]> {
    const enforced: Enforced[] = [];
    for (const { name, family } of this.#ours) {
      for (const { prefix, seconds } of await this.#options.sets.list(name)) {
        if (samePrefix(prefix, MARKS[family])) continue;
        enforced.push({
          prefix,
          target: this.target,
          until: seconds === 0 ? FOREVER : now + seconds * SECOND,
        });
      }
    }
    return enforced;
  }

  async missing(): Promise<string | null> {
    const { sets } = this.#options;
    const found = await sets.findAll([this.#list, ...this.#ours.map(({ name }) => name)]);
    if (found.get(this.#list)?.elements !== this.#ours.length)
      return `another program emptied or removed the set ${this.#list}`;
    for (const { name, family } of this.#ours) {
      const isWhole = found.has(name) && (await sets.has(name, MARKS[family]));
      if (!isWhole) return `another program emptied or removed the set ${name}`;
    }
    return null;
  }

  /** A rule that is gone or changed in the output of `iptables-save`, as a fact; null for none. */
  lossIn(text: string): string | null {
    return hasRules(text, this.#list, this.#ways)
      ? null
      : `a rule for the set ${this.#list} is gone or was changed`;
  }

  /** Rules of others that accept packets before they come to ours, as sentences. */
  obstaclesIn(text: string): readonly string[] {
    return obstaclesTo(text, this.#list, this.#ways);
  }

  /** Without the marks. */
  async count(): Promise<number> {
    const found = await this.#options.sets.findAll(this.#ours.map(({ name }) => name));
    let elements = 0;
    for (const set of found.values()) elements += set.elements - 1;
    return elements;
  }

  async remove(): Promise<void> {
    const { sets, tables } = this.#options;
    await removeRules(tables.v4, this.#list);
    await removeRules(tables.v6, this.#list);
    await this.#destroy(this.#list);
    for (const { name, spare } of this.#ours) {
      await sets.destroy(spare);
      await this.#destroy(name);
    }
  }

  /** The kernel releases a set some ms after its rule is gone. A set that a rule of the operator's uses stays, empty. */
  async #destroy(name: string): Promise<void> {
    const { sets } = this.#options;
    for (let tries = 0; tries < 20; tries++) {
      if (await sets.destroy(name)) return;
      await sleep(10);
    }
    if (name !== this.#list) await sets.flush(name);
  }

  async #openSet(set: OurSet): Promise<void> {
    const { sets, capacity } = this.#options;
    const { name, type, family } = set;
    const found = await sets.find(name);
    if (found === null) await this.#create(set, name, 0);
    else if (found.type !== type || found.family !== family || !found.timeouts) throw notOurs(name);
    else if (found.capacity !== capacity + 1) {
      const elements = await sets.list(name);
      await this.#makeSpare(set, elements.length);
      await sets.change(
        elements.map(({ prefix, seconds }) => ({ set: set.spare, kind: "add", prefix, seconds })),
      );
      await this.#useSpare(set);
    }
    await this.#mark(name, family);
  }

  async #makeSpare(set: OurSet, elements: number): Promise<void> {
    const { name, spare, family } = set;
    if (!(await this.#options.sets.destroy(spare)))
      throw new StoplogError(`Cannot refill the set ${name}: ${spare} is in use`);
    await this.#create(set, spare, elements);
    await this.#mark(spare, family);
  }

  /**
   * Large enough for `elements`: later the kernel rebuilds the table in one go, in 20 ms for 100,000 elements and 160 ms for 800,000. A
   * bucket takes 8 bytes. Each part of the table counts its own share of the capacity, hence the element more.
   */
  #create({ type, family }: OurSet, name: string, elements: number): Promise<void> {
    const capacity = this.#options.capacity + 1;
    const least = type === "hash:ip" && capacity >= LARGE ? 65_536 : 1024;
    const buckets = Math.max(least, 2 ** Math.ceil(Math.log2(Math.max(1, elements / 2))));
    return this.#options.sets.create({ name, type, family, capacity, buckets });
  }

  async #useSpare({ name, spare }: OurSet): Promise<void> {
    await this.#options.sets.swap(spare, name);
    await this.#options.sets.destroy(spare);
  }

  async #mark(set: string, family: OurSet["family"]): Promise<void> {
    const failures = await this.#options.sets.change([
      { set, kind: "add", prefix: MARKS[family], seconds: 0 },
    ]);
    const first = failures[0];
    if (first !== undefined) throw new StoplogError(`Cannot use the set ${set}: ${first.fact}`);
  }

  async #change(
    changes: readonly Enforcement[],
    clock: () => Instant,
    which: "name" | "spare",
  ): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    const done: Enforcement[] = [];
    const writes: SetChange[] = [];
    const now = clock();
    for (const change of changes) {
      const { prefix, kind } = change;
      const set = this.#setOf(prefix);
      if (samePrefix(prefix, MARKS[set.family])) continue;
      if (prefix.length > 0) {
        done.push(change);
        const seconds = kind === "ban" ? secondsUntil(change.until, now) : null;
        writes.push({ set: set[which], kind: kind === "ban" ? "add" : "delete", prefix, seconds });
      } else if (kind === "ban")
        refusals.push(refused(change, "ipset does not support networks of that length"));
    }
    for (const { place, reason, fact } of await this.#options.sets.change(writes)) {
      const change = done[place] as Enforcement;
      const { capacity } = this.#options;
      const { name } = this.#setOf(change.prefix);
      refusals.push(
        reason === "full"
          ? refused(change, `the set ${name} is full with ${capacity} elements`, "full")
          : refused(change, `the set ${name}: ${fact}`),
      );
    }
    return refusals;
  }

  #setOf(prefix: Prefix): OurSet {
    return this.#ours[(isV4(prefix.address) ? 0 : 2) + (isHost(prefix) ? 0 : 1)] as OurSet;
  }
}

/** At this capacity a few elements more or less, by the kernel's way of counting, do not matter. */
const LARGE = 1_000_000;

/** A ban that is too long for a time-out of ipset gets none: the book unbans it. */
export function secondsUntil(until: Instant, now: Instant): SetElement["seconds"] {
  const seconds = Math.max(1, Math.ceil((until - now) / SECOND));
  return seconds > MOST_SECONDS ? 0 : seconds;
}

function notOurs(name: string): StoplogError {
  return new StoplogError(`Cannot use the set ${name}: Stoplog did not create it`);
}
