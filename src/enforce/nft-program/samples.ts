import { formatAddress } from "../../core/address.ts";
import type { Prefix } from "../../core/prefix.ts";
import { type Instant, SECOND } from "../../core/time.ts";
import type { Enforcement } from "../enforcer.ts";
import type { ElementChange } from "../ruleset/standing-sets.ts";

/** One ban of each set, the one that ends last: where it is gone, another program emptied the set. */
export class Samples {
  readonly #bySet = new Map<string, Sample>();

  note(changes: Iterable<ElementChange>): void {
    for (const { set, change } of changes) this.#noteOne(set.name, change);
  }

  /** The keys of elements that must be in their sets now. */
  *lasting(now: Instant): Generator<{ readonly set: string; readonly key: string }> {
    for (const [set, { prefix, until }] of this.#bySet)
      if (until > now + NEAR) yield { set, key: formatAddress(prefix.address) };
  }

  clear(): void {
    this.#bySet.clear();
  }

  #noteOne(set: string, change: Enforcement): void {
    const sample = this.#bySet.get(set);
    const key = formatAddress(change.prefix.address);
    const isSample = sample !== undefined && formatAddress(sample.prefix.address) === key;
    if (change.kind === "unban") {
      if (isSample) this.#bySet.delete(set);
    } else if (sample === undefined || isSample || change.until >= sample.until)
      this.#bySet.set(set, { prefix: change.prefix, until: change.until });
  }
}

interface Sample {
  readonly prefix: Prefix;
  readonly until: Instant;
}

/** An element may expire while nft starts. */
const NEAR = 5 * SECOND;
