import { StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { type Instant, SECOND } from "../../core/time.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import type { IpsetTarget } from "./kind.ts";
import { type Tables, tablesOf } from "../iptables/tables.ts";
import { TablesWatch } from "../iptables/tables-watch.ts";
import type { Place } from "../admin-sets/place.ts";
import { PlacedBans } from "../admin-sets/placed-bans.ts";
import { areSameKinds, guestsOf } from "./guests.ts";
import { KernelSets } from "./kernel-sets.ts";
import { MadeSets } from "./made-sets.ts";
import { ProgramSets } from "./program-sets.ts";
import type { Sets } from "./sets.ts";

export interface IpsetOptions {
  /** Bans in each set of our own. */
  readonly capacity?: number;
  readonly tables?: Readonly<Record<"v4" | "v6", Tables>>;
  /** Default: our own messages, or the program ipset where koffi is missing. */
  readonly openSets?: () => Sets;
}

/**
 * Bans in sets of ipset: our own, with the iptables rules that use them, or the operator's. Elements carry a time-out where the set takes
 * one and the ban is short enough. The book's unban ends the other elements, and changes nothing for these.
 */
export class IpsetEnforcer implements Enforcer {
  readonly kind = "ipset";
  readonly expires = "book";
  readonly compareEvery = 10 * SECOND;
  readonly #options: Required<IpsetOptions>;
  readonly #watches: Readonly<Record<"v4" | "v6", TablesWatch>>;
  #obstacles: Readonly<Record<"v4" | "v6", readonly string[]>> = { v4: [], v6: [] };
  #sets: Sets | null = null;
  #bans = new PlacedBans([]);
  #targets: readonly IpsetTarget[] = [];

  constructor({
    capacity = LIMITS.setElements.value,
    tables = { v4: tablesOf("v4"), v6: tablesOf("v6") },
    openSets = () => (nativeFault() === null ? new KernelSets() : new ProgramSets()),
  }: IpsetOptions = {}) {
    this.#options = { capacity, tables, openSets };
    this.#watches = { v4: new TablesWatch(tables.v4), v6: new TablesWatch(tables.v6) };
  }

  async open(targets: readonly IpsetTarget[]): Promise<void> {
    const first = this.#sets === null;
    const sets = (this.#sets ??= this.#options.openSets());
    try {
      const places = await this.#placesOf(targets, sets);
      const left = this.#bans.places.filter((place) => !places.some((other) => isSame(place, other)));
      this.#bans = new PlacedBans(places);
      this.#targets = targets;
      for (const place of left) await place.remove();
    } catch (thrown) {
      if (first) this.#release();
      throw thrown;
    }
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    return this.#opened().apply(changes, now);
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    return this.#opened().replace(bans, now);
  }

  async list(): Promise<readonly Enforced[]> {
    return this.#opened().list(Date.now());
  }

  /** Reads the sets' headers and a few elements; the rules only where a rule has changed. */
  async missing(now: Instant): Promise<string | null> {
    const fact = await this.#bans.missing(now);
    if (fact !== null) return fact;
    const made = this.#bans.places.filter((place) => place instanceof MadeSets);
    for (const family of made.length > 0 ? (["v4", "v6"] as const) : []) {
      const text = await this.#watches[family].look();
      if (text === null) continue;
      for (const place of made) {
        const loss = place.lossIn(text);
        if (loss !== null) return loss;
      }
      this.#obstacles = { ...this.#obstacles, [family]: made.flatMap((place) => place.obstaclesIn(text)) };
    }
    return null;
  }

  count(): Promise<number> {
    return this.#bans.count();
  }

  obstacles(): readonly string[] {
    return [...this.#obstacles.v4, ...this.#obstacles.v6];
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    try {
      if (flush) for (const place of this.#bans.places) await place.remove();
    } finally {
      this.#release();
    }
  }

  async #placesOf(targets: readonly IpsetTarget[], sets: Sets): Promise<readonly Place[]> {
    refuseShared(targets);
    const places: Place[] = [];
    for (const target of targets.filter((one) => one.sets.length > 0)) {
      const before = this.#bans.places.filter(
        (place) => place.target === target.name && !(place instanceof MadeSets),
      );
      const isKept = this.#targets.some(
        ({ name, sets: old }) => name === target.name && old.join() === target.sets.join(),
      );
      const made = await guestsOf(target, sets);
      // Only the place that added an element knows that it is ours: a place that stays is kept.
      places.push(...(isKept && areSameKinds(before, made) ? before : made));
    }
    for (const name of new Set(targets.map((target) => target.name))) {
      const ways = targets.filter((target) => target.name === name && target.sets.length === 0);
      if (ways.length === 0) continue;
      const made = new MadeSets(name, ways, { ...this.#options, sets });
      await made.open();
      places.push(made);
    }
    return places;
  }

  #opened(): PlacedBans {
    if (this.#sets === null) throw new StoplogError("Cannot change bans: ipset is not open");
    return this.#bans;
  }

  #release(): void {
    this.#sets?.close();
    for (const family of ["v4", "v6"] as const) this.#options.tables[family].close();
    this.#sets = null;
    this.#bans = new PlacedBans([]);
    this.#targets = [];
  }
}

/** Our own sets get a new object in each `open`; in the kernel they are the same. */
function isSame(place: Place, other: Place): boolean {
  return (
    place === other ||
    (place instanceof MadeSets && other instanceof MadeSets && place.target === other.target)
  );
}

function refuseShared(targets: readonly IpsetTarget[]): void {
  const names = targets.flatMap(({ sets }) => sets);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new StoplogError(
      `Cannot use the set ${twice}: it is named twice, and one use would remove the other's bans`,
    );
}
