import { setImmediate as nextTurn } from "node:timers/promises";
import { type Address, formatAddress, isV4 } from "../../core/address.ts";
import type { Family } from "../../core/family.ts";
import { addressBits, formatPrefix, isHost, type Prefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import type { Enforced, Enforcement, Refusal } from "../enforcer.ts";
import { refused } from "../last-changes.ts";
import type { Place, Reload } from "./place.ts";

/** A set that the administrator made, in which we may add and remove elements. */
export interface ElementSet {
  /** Such as `the set blocked4`. */
  readonly label: string;
  readonly family: Family;
  /** Whether it can hold networks. */
  readonly networks: boolean;
  /** Whether its elements can have a time-out, where `change` depends on it. */
  readonly timeouts?: boolean;
  /** Whether networks must not overlap. A reload then sends all bans at once: unbans first, then the widest networks. */
  readonly widestFirst: boolean;
  /** Applies changes in their order. Refused ones come back; the others are applied. */
  change(changes: readonly ElementChange[], now: Instant): Promise<readonly ElementFailure[]>;
  has(prefix: Prefix): Promise<boolean>;
  list(now: Instant): Promise<readonly { readonly prefix: Prefix; readonly until: Instant }[]>;
  /** The number of its elements, where that costs far less than `list`. */
  count?(): Promise<number>;
}

/** `new` is an `add` that fails when the element exists. Deleting an element that does not exist succeeds. */
export type ElementChange =
  | { readonly kind: "add" | "new"; readonly prefix: Prefix; readonly until: Instant }
  | { readonly kind: "delete"; readonly prefix: Prefix };

export interface ElementFailure {
  /** Index among the changes of the call. */
  readonly place: number;
  /** `exists` for `new` only: the element existed, and is unchanged. */
  readonly reason: "full" | "exists" | "gone" | "other";
  readonly fact: string;
}

/**
 * Bans in a set that the administrator made. It remembers the elements that we added, at most one for each ban in the book. The
 * administrator's own elements stay, even if they are banned as well.
 */
export class AdminSet implements Place {
  readonly target: string;
  readonly set: ElementSet;
  /** Holds networks only, because another set of the target holds the hosts. */
  readonly #networksOnly: boolean;
  readonly #ours = new Map<string, { readonly prefix: Prefix; readonly until: Instant }>();
  /** Prefix lengths that ever occurred in it. */
  readonly #lengths = new Set<number>();
  /** The administrator's own elements that are banned as well. */
  readonly #theirs = new Set<string>();
  /** True until all bans were written once: until then, an existing element is from an earlier run. */
  #fresh = true;
  #gone: string | null = null;

  constructor(target: string, set: ElementSet, networksOnly = false) {
    this.target = target;
    this.set = set;
    this.#networksOnly = networksOnly;
  }

  /** Whether this set holds bans of this prefix. */
  takes(prefix: Prefix): boolean {
    if (isV4(prefix.address) !== (this.set.family === "v4")) return false;
    return isHost(prefix) ? !this.#networksOnly : this.set.networks;
  }

  /** Whether an element of ours begins at this address. */
  begins(address: Address): boolean {
    const text = formatAddress(address);
    for (const length of this.#lengths) {
      const whole = length === addressBits(address);
      if (this.#ours.has(whole ? text : `${text}/${length}`)) return true;
    }
    return false;
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const mine = changes.filter(({ prefix }) => this.takes(prefix));
    const ours = mine.filter((change) => change.kind === "ban" || !this.#theirs.delete(keyOf(change.prefix)));
    const writes = ours.flatMap((change) => this.#write(change));
    const sent = ours.filter((change) => change.kind === "unban" || !this.#theirs.has(keyOf(change.prefix)));
    const failures = new Map((await this.set.change(writes, now)).map((failure) => [failure.place, failure]));
    const refusals: Refusal[] = [];
    for (const [place, change] of sent.entries()) {
      const failure = failures.get(place);
      const key = keyOf(change.prefix);
      if (failure === undefined) {
        if (change.kind === "unban") this.#ours.delete(key);
        else {
          this.#ours.set(key, { prefix: change.prefix, until: change.until });
          this.#lengths.add(change.prefix.length);
        }
      } else if (failure.reason === "exists") this.#theirs.add(key);
      else {
        if (failure.reason === "gone") this.#gone = `${this.set.label} is gone`;
        refusals.push(
          failure.reason === "full"
            ? refused(change, `${this.set.label} is full`, "full")
            : refused(change, `${this.set.label}: ${failure.fact}`),
        );
      }
    }
    return refusals;
  }

  async reload(now: Instant): Promise<Reload> {
    const desired = new Set<string>();
    const waiting = new Map<string, Enforcement>();
    return {
      take: async (changes) => {
        const mine = changes.filter(({ prefix }) => this.takes(prefix));
        for (const change of mine) {
          const key = keyOf(change.prefix);
          if (change.kind === "ban") desired.add(key);
          else desired.delete(key);
          if (this.set.widestFirst) waiting.set(key, change);
        }
        return this.set.widestFirst ? [] : this.apply(mine, now);
      },
      finish: async () => {
        this.#gone = null;
        for (const key of this.#theirs) if (!desired.has(key)) this.#theirs.delete(key);
        const refusals = [
          ...(await this.#applyInParts(this.#over(desired), now)),
          ...(await this.#applyInParts([...waiting.values()].toSorted(unbansThenWidest), now)),
        ];
        this.#fresh = false;
        return refusals;
      },
    };
  }

  /** Our elements, and the administrator's that are banned as well: the others are not bans. */
  async list(now: Instant): Promise<readonly Enforced[]> {
    const there = await this.set.list(now);
    const isBan = (key: string): boolean => this.#ours.has(key) || this.#theirs.has(key);
    return there
      .filter(({ prefix }) => isBan(keyOf(prefix)))
      .map((element) => ({ ...element, target: this.target }));
  }

  async count(): Promise<number> {
    return (await this.set.count?.()) ?? 0;
  }

  /** Checks some of our elements whose end is not near. */
  async missing(now: Instant): Promise<string | null> {
    if (this.#gone !== null) return this.#gone;
    let looked = 0;
    for (const { prefix, until } of this.#ours.values()) {
      if (until < now + NEAR) continue;
      if (!(await this.set.has(prefix))) return `another program removed elements from ${this.set.label}`;
      if (++looked === LOOKS) break;
    }
    return null;
  }

  async remove(): Promise<void> {
    const reload = await this.reload(0);
    await reload.finish();
  }

  *#over(desired: ReadonlySet<string>): Generator<Enforcement> {
    for (const [key, { prefix }] of this.#ours)
      if (!desired.has(key)) yield { kind: "unban", prefix, target: this.target };
  }

  async #applyInParts(changes: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const refusals: Refusal[] = [];
    let part: Enforcement[] = [];
    for (const change of changes) {
      part.push(change);
      if (part.length < PART) continue;
      refusals.push(...(await this.apply(part, now)));
      part = [];
      await nextTurn();
    }
    refusals.push(...(await this.apply(part, now)));
    return refusals;
  }

  #write(change: Enforcement): readonly ElementChange[] {
    const { prefix } = change;
    if (change.kind === "unban") return [{ kind: "delete", prefix }];
    const key = keyOf(prefix);
    if (this.#theirs.has(key)) return [];
    return [{ kind: this.#fresh || this.#ours.has(key) ? "add" : "new", prefix, until: change.until }];
  }
}

/** A place beside the sets of a target that refuses the bans that none of them holds. */
export class RefusingPlace implements Place {
  readonly target: string;
  readonly #sets: readonly AdminSet[];

  constructor(target: string, sets: readonly AdminSet[]) {
    this.target = target;
    this.#sets = sets;
  }

  async apply(changes: readonly Enforcement[]): Promise<readonly Refusal[]> {
    return changes
      .filter(({ kind, prefix }) => kind === "ban" && !this.#sets.some((set) => set.takes(prefix)))
      .map((change) => refused(change, this.#fact(change.prefix)));
  }

  async reload(): Promise<Reload> {
    return { take: (changes) => this.apply(changes), finish: async () => [] };
  }

  async list(): Promise<readonly Enforced[]> {
    return [];
  }

  async missing(): Promise<null> {
    return null;
  }

  async remove(): Promise<void> {}

  #fact({ address }: Prefix): string {
    const family = isV4(address) ? "v4" : "v6";
    const sameFamily = this.#sets.filter(({ set }) => set.family === family);
    if (sameFamily.length === 0) return `its sets do not hold ${family === "v4" ? "IPv4" : "IPv6"} addresses`;
    return `${sameFamily.map(({ set }) => set.label).join(" and ")} holds single addresses only`;
  }
}

function unbansThenWidest(a: Enforcement, b: Enforcement): number {
  return Number(a.kind === "ban") - Number(b.kind === "ban") || a.prefix.length - b.prefix.length;
}

const PART = 1000;
/** Elements to check for whether another program emptied the set. */
const LOOKS = 8;
const NEAR = 60_000;

function keyOf(prefix: Prefix): string {
  return formatPrefix(prefix);
}
