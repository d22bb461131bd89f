import { systemClock } from "../../core/clock.ts";
import { StoplogError } from "../../core/errors.ts";
import { formatPrefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal, TargetSpec } from "../enforcer.ts";
import { refused } from "../last-changes.ts";
import { checkTargetName } from "../ruleset/names.ts";

/**
 * Remembers bans and enforces none: the dry run, and the reference in the tests of the other enforcers. Bounded by the book; expired bans
 * are dropped when `list` finds them.
 */
export class MemoryEnforcer implements Enforcer {
  readonly kind = "dry-run";
  readonly expires = "kernel";
  readonly #now: () => Instant;
  readonly #bans = new Map<string, Enforced & { readonly until: Instant }>();
  #targets: ReadonlySet<string> | null = null;

  /** `now` is for `list`. */
  constructor(now: () => Instant = systemClock.now) {
    this.#now = now;
  }

  async open(targets: readonly TargetSpec[]): Promise<void> {
    for (const { name } of targets) checkTargetName(name);
    const names = new Set(targets.map(({ name }) => name));
    this.#targets = names;
    for (const [key, { target }] of this.#bans) if (!names.has(target)) this.#bans.delete(key);
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    const targets = this.#opened();
    const refusals: Refusal[] = [];
    for (const change of changes) {
      const { prefix, target } = change;
      const key = keyOf(change);
      if (change.kind === "unban" || change.until <= now) this.#bans.delete(key);
      else if (targets.has(target)) this.#bans.set(key, { prefix, target, until: change.until });
      else refusals.push(refused(change, `there is no target ${target}`));
    }
    return refusals;
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    this.#opened();
    this.#bans.clear();
    return this.apply([...bans], now);
  }

  async list(): Promise<readonly Enforced[]> {
    this.#opened();
    const now = this.#now();
    for (const [key, { until }] of this.#bans) if (until <= now) this.#bans.delete(key);
    return [...this.#bans.values()];
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    if (flush) this.#bans.clear();
    this.#targets = null;
  }

  #opened(): ReadonlySet<string> {
    if (this.#targets === null) throw new StoplogError("Cannot change bans: the dry run is not open");
    return this.#targets;
  }
}

function keyOf({ prefix, target }: Enforcement): string {
  return `${target} ${formatPrefix(prefix)}`;
}
