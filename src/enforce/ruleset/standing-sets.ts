import { isV4 } from "../../core/address.ts";
import { isHost } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import type { Enforcement, Refusal, PacketTarget } from "../enforcer.ts";
import { refused } from "../last-changes.ts";
import { type BanSet, banSetOf } from "./names.ts";

/** A change, and the set it goes to. */
export interface ElementChange {
  readonly set: BanSet;
  readonly change: Enforcement;
}

/** An expired ban is treated as an unban. */
export function isUnban(change: Enforcement, now: Instant): boolean {
  return change.kind === "unban" || change.until <= now;
}

/**
 * The timeout of an element in milliseconds; null for a permanent one. The kernel counts in ticks of at most 10 ms, rounds down, and
 * may be at the end of a tick already. Two ticks are added: no ban is shorter than requested.
 */
export function timeoutFor(until: Instant, now: Instant): number | null {
  const milliseconds = Math.max(0, Math.ceil(until - now));
  return milliseconds > LONGEST ? null : milliseconds + 20;
}

/** Only the last change of each element, for kernels and programs that take one change of an element in a transaction. */
export function lastOfEach(changes: readonly ElementChange[]): readonly ElementChange[] {
  const last = new Map<string, ElementChange>();
  for (const one of changes) {
    const { w0, w1, w2, w3 } = one.change.prefix.address;
    last.set(`${one.set.name} ${w0} ${w1} ${w2} ${w3}`, one);
  }
  return last.size === changes.length ? changes : [...last.values()];
}

/** The bans that remain after these changes: no later change ends them. */
export function lastingBans(changes: readonly ElementChange[], now: Instant): readonly ElementChange[] {
  const ended = (one: ElementChange): boolean => isUnban(one.change, now);
  return changes.some(ended) ? lastOfEach(changes).filter((one) => !ended(one)) : changes;
}

/**
 * A clock for one call: starts at the caller's `now` and runs on. A call that takes long, or waits for its turn, still gives each ban
 * the time that is left of it.
 */
export function clockFrom(now: Instant): () => Instant {
  const started = performance.now();
  return () => now + performance.now() - started;
}

/** The targets, and the sets of bans that exist in the table. */
export class StandingSets {
  readonly targets: ReadonlyMap<string, PacketTarget>;
  readonly #sets: Map<string, BanSet>;

  constructor(targets: readonly PacketTarget[], sets: readonly BanSet[]) {
    this.targets = new Map(targets.map((target) => [target.name, target]));
    this.#sets = new Map(sets.map((set) => [set.name, set]));
  }

  get all(): readonly BanSet[] {
    return [...this.#sets.values()];
  }

  has(name: string): boolean {
    return this.#sets.has(name);
  }

  add(set: BanSet): void {
    this.#sets.set(set.name, set);
  }

  delete(name: string): void {
    this.#sets.delete(name);
  }

  /** The sets that these bans need and that do not exist yet: those of new prefix lengths. */
  missingFor(changes: readonly Enforcement[], now: Instant): readonly BanSet[] {
    const missing = new Map<string, BanSet>();
    for (const change of changes) {
      if (isHost(change.prefix) || isUnban(change, now) || !this.targets.has(change.target)) continue;
      const set = banSetOf(change.prefix, change.target);
      if (!this.#sets.has(set.name)) missing.set(set.name, set);
    }
    return [...missing.values()];
  }

  /**
   * Finds the set of each change. Bans without a set are refused: `faults` says why a set could not be made, by its name. Unbans without
   * a set are dropped.
   */
  place(
    changes: readonly Enforcement[],
    now: Instant,
    faults: ReadonlyMap<string, string>,
  ): { readonly placed: readonly ElementChange[]; readonly refusals: Refusal[] } {
    const placed: ElementChange[] = [];
    const refusals: Refusal[] = [];
    const hosts = this.#hostSets();
    for (const change of changes) {
      const { prefix, target } = change;
      const set = isHost(prefix)
        ? hosts.get(target)?.[isV4(prefix.address) ? 0 : 1]
        : this.#sets.get(banSetOf(prefix, target).name);
      if (set !== undefined) placed.push({ set, change });
      else if (!isUnban(change, now)) {
        const fault = faults.get(banSetOf(prefix, target).name) ?? `there is no target ${target}`;
        refusals.push(refused(change, fault));
      }
    }
    return { placed, refusals };
  }

  /** By target: a flood of hosts does not build the name of a set for each of them. */
  #hostSets(): ReadonlyMap<string, readonly [v4: BanSet | undefined, v6: BanSet | undefined]> {
    return new Map(
      [...this.targets.keys()].map((name) => [
        name,
        [this.#sets.get(`${name}_v4`), this.#sets.get(`${name}_v6`)],
      ]),
    );
  }
}

/** A thousand years. Longer timeouts, and FOREVER, would overflow the kernel's counter and be refused. */
const LONGEST = 1000 * 365.25 * 86_400_000;
