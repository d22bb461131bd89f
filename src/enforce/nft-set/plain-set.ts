import { setImmediate as nextTurn } from "node:timers/promises";
import { hostPrefix, type Prefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import { ENFILE, ENOENT } from "../../kernel/native/system-error.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import type { Dialect } from "../nftables/element-writer.ts";
import type { Failure, Session } from "../../kernel/nftables/session.ts";
import type { ElementChange, ElementFailure, ElementSet } from "../admin-sets/admin-set.ts";
import { clockFrom } from "../ruleset/standing-sets.ts";
import { type FoundSet, labelOf } from "./find-set.ts";
import { readElement, readElements } from "./read-elements.ts";
import { writeElements } from "./write-elements.ts";

/** Access to the kernel. */
export interface Access {
  readonly session: Session;
  readonly dialect: Dialect;
  /** Called after each transaction. */
  readonly changed: () => void;
}

/** A set of single addresses. */
export class PlainSet implements ElementSet {
  readonly label: string;
  readonly family: ElementSet["family"];
  readonly networks = false;
  readonly widestFirst = false;
  readonly #session: Session;
  readonly #set: FoundSet;
  readonly #dialect: Dialect;
  readonly #changed: () => void;

  constructor(set: FoundSet, { session, dialect, changed }: Access) {
    this.label = labelOf(set.name);
    this.family = set.family;
    this.#session = session;
    this.#set = set;
    this.#dialect = dialect;
    this.#changed = changed;
  }

  /** A transaction is all or nothing: a refused change is taken out of it, and the rest is sent again. */
  async change(changes: readonly ElementChange[], now: Instant): Promise<readonly ElementFailure[]> {
    const clock = clockFrom(now);
    const failures: ElementFailure[] = [];
    for (let from = 0; from < changes.length; from += AT_ONCE) {
      if (from > 0) await nextTurn();
      const part = changes.slice(from, from + AT_ONCE).map((change, i) => ({ change, place: from + i }));
      const pending: (readonly Placed[])[] = [part];
      for (let some = pending.pop(); some !== undefined; some = pending.pop()) {
        const first = this.#attempt(some, clock());
        if (first === null) continue;
        await nextTurn();
        const { failure, index } = first;
        const bad = some.length === 1 ? 0 : index;
        if (failure.errno === EEXIST && bad >= 0) pending.push(this.#withoutOld(some, failures));
        else if (failure.errno === ENFILE && bad >= 0) {
          // Everything before it fits, and fills the set.
          pending.push(this.#withoutNew(some.slice(bad), failures), some.slice(0, bad));
        } else if (bad >= 0) {
          failures.push({ place: some[bad]!.place, ...reasonOf(failure) });
          pending.push(some.slice(bad + 1), some.slice(0, bad));
        } else if (failure.errno === ENOENT)
          for (const { place } of some) failures.push({ place, ...reasonOf(failure) });
        else pending.push(some.slice(some.length >>> 1), some.slice(0, some.length >>> 1));
      }
    }
    return failures;
  }

  async has(prefix: Prefix): Promise<boolean> {
    return this.#exists(prefix);
  }

  async list(now: Instant) {
    const elements = await readElements(this.#set, now);
    return elements.map(({ address, until }) => ({ prefix: hostPrefix(address), until }));
  }

  #attempt(
    some: readonly Placed[],
    now: Instant,
  ): { readonly failure: Failure; readonly index: number } | null {
    if (some.length === 0) return null;
    let placeOf: (failure: Failure) => number = () => -1;
    const failures = this.#session.transact((batch) => {
      const writing = { set: this.#set, dialect: this.#dialect, now };
      placeOf = writeElements(
        batch,
        some.map(({ change }) => change),
        writing,
      );
    });
    this.#changed();
    const first = failures[0];
    return first === undefined ? null : { failure: first, index: placeOf(first) };
  }

  /** Looks up every change that should be new: then only one transaction is refused because of them. */
  #withoutOld(some: readonly Placed[], failures: ElementFailure[]): readonly Placed[] {
    return some.filter(({ change, place }) => {
      if (change.kind !== "new" || !this.#exists(change.prefix)) return true;
      failures.push({ place, reason: "exists", fact: "it is in the set already" });
      return false;
    });
  }

  #withoutNew(some: readonly Placed[], failures: ElementFailure[]): readonly Placed[] {
    return some.filter(({ change, place }) => {
      if (change.kind === "delete" ? this.#dialect === "update" : this.#exists(change.prefix)) return true;
      // In the older dialect a deletion begins with an addition. An element that does not exist need not be deleted.
      if (change.kind === "delete") return this.#exists(change.prefix);
      failures.push({ place, reason: "full", fact: "the set is full" });
      return false;
    });
  }

  #exists(prefix: Prefix): boolean {
    return readElement(this.#session, this.#set, prefix.address) !== null;
  }
}

/** Elements in one transaction: blocks the event loop for about 1 ms. */
const AT_ONCE = 1000;
export const EEXIST = 17;

interface Placed {
  readonly change: ElementChange;
  readonly place: number;
}

export function reasonOf(failure: Failure): Pick<ElementFailure, "reason" | "fact"> {
  if (failure.errno === ENOENT) return { reason: "gone", fact: "it is gone" };
  return { reason: failure.errno === ENFILE ? "full" : "other", fact: factOfAnswer(failure) };
}
