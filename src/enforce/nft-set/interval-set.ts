import { setImmediate as nextTurn } from "node:timers/promises";
import { addressToBytes, formatAddress } from "../../core/address.ts";
import { formatPrefix, isHost, type Prefix, prefixCovers, prefixOf } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import { PrefixMap } from "../../core/prefix-map.ts";
import { ENOENT } from "../../kernel/native/system-error.ts";
import { NFT_SET_ELEM_INTERVAL_END } from "../../kernel/nftables/constants.ts";
import type { Dialect } from "../nftables/element-writer.ts";
import type { Failure, Session } from "../../kernel/nftables/session.ts";
import type { ElementChange, ElementFailure, HostSet } from "../admin-sets/guest-sets.ts";
import { clockFrom } from "../ruleset/standing-sets.ts";
import { type FoundSet, labelOf } from "./find-set.ts";
import { type Access, EEXIST, reasonOf } from "./plain-set.ts";
import { readElement, readElements } from "./read-elements.ts";
import { keyBehind, writeElements } from "./write-elements.ts";

/**
 * A set of intervals. The kernel lets none overlap another, whatever `auto-merge` says, which is nft's own doing. So of bans within
 * bans only the outermost is an element, and those within it come when it goes:
 *
 *      10.0.0.0/8 ⊃ 10.1.0.0/16      unban the first: delete 10.0.0.0/8, add 10.1.0.0/16, in one transaction
 *
 * Two intervals may share an end for the kernel, and what deletes one then tears the other: so what is not there is added exclusively.
 */
export class IntervalSet implements HostSet {
  readonly label: string;
  readonly family: HostSet["family"];
  readonly networks = true;
  readonly widestFirst = true;
  readonly #session: Session;
  readonly #set: FoundSet;
  readonly #dialect: Dialect;
  readonly #changed: () => void;
  /** All bans, those within others too, and their ends. */
  readonly #bans = new PrefixMap<{ readonly prefix: Prefix; readonly until: Instant }>();

  constructor(set: FoundSet, { session, dialect, changed }: Access) {
    this.label = labelOf(set.name);
    this.family = set.family;
    this.#session = session;
    this.#set = set;
    this.#dialect = dialect;
    this.#changed = changed;
  }

  /** In one transaction, or else one by one: what an element is depends on those before it. */
  async change(changes: readonly ElementChange[], now: Instant): Promise<readonly ElementFailure[]> {
    const clock = clockFrom(now);
    const failures: ElementFailure[] = [];
    for (let from = 0; from < changes.length; from += AT_ONCE) {
      if (from > 0) await nextTurn();
      const part = changes.slice(from, from + AT_ONCE);
      if (this.#attempt(part, clock()) === null) continue;
      for (const [i, change] of part.entries()) {
        await nextTurn();
        const failure = this.#attempt([change], clock());
        if (failure === null || (failure.errno === ENOENT && change.kind === "delete" && failure.offset > 0))
          continue;
        const overlaps = failure.errno === EEXIST;
        failures.push({
          place: from + i,
          ...reasonOf(failure),
          ...(overlaps ? { fact: "an element that is not ours overlaps it" } : {}),
        });
      }
    }
    return failures;
  }

  async has({ address }: Prefix): Promise<boolean> {
    return readElement(this.#session, this.#set, address) !== null;
  }

  /** Ours only: a ban stands when the element that it is, or is within, does. */
  async list(now: Instant) {
    const starts = new Map(
      (await readElements(this.#set, now))
        .filter(({ isEnd }) => !isEnd)
        .map(({ address, until }) => [formatAddress(address), until]),
    );
    return [...this.#bans.values()].flatMap((ban) => {
      const around = this.#around(ban.prefix);
      const until = starts.get(formatAddress((around ?? ban.prefix).address));
      if (until === undefined) return [];
      return { prefix: ban.prefix, until: around === null && this.#dialect === "update" ? until : ban.until };
    });
  }

  /** Null when the kernel took it. */
  #attempt(changes: readonly ElementChange[], now: Instant): Failure | null {
    const undo: (() => void)[] = [];
    const elements = lastOfEach(changes.flatMap((change) => this.#elementsFor(change, undo)));
    if (elements.length === 0) return null;
    const failures = this.#session.transact((batch) => {
      writeElements(batch, elements, { set: this.#set, dialect: this.#dialect, now });
    });
    this.#changed();
    const first = failures[0];
    if (first === undefined) return null;
    for (const one of undo.toReversed()) one();
    return first;
  }

  /** Notes a change, and answers what becomes of the set's elements by it. */
  #elementsFor(change: ElementChange, undo: (() => void)[]): readonly ElementChange[] {
    const { prefix } = change;
    const before = this.#bans.get(prefix);
    undo.push(() => (before === undefined ? this.#bans.delete(prefix) : this.#bans.set(prefix, before)));
    const isElement = this.#around(prefix) === null;
    if (change.kind !== "delete") {
      const within = isElement && before === undefined ? this.#outermostWithin(prefix) : [];
      this.#bans.set(prefix, { prefix, until: change.until });
      if (!isElement) return [];
      const isThere = before !== undefined || (change.kind === "add" && this.#isExactly(prefix));
      return [...within.map(deletion), { ...change, kind: isThere ? "add" : "new" }];
    }
    this.#bans.delete(prefix);
    if (!isElement || (before === undefined && !this.#isExactly(prefix))) return [];
    return [
      deletion(change),
      ...this.#outermostWithin(prefix).map((ban) => ({ ...ban, kind: "new" as const })),
    ];
  }

  /** The widest ban around a prefix. */
  #around(prefix: Prefix): Prefix | null {
    for (let length = 0; length < prefix.length; length++) {
      const ban = this.#bans.get(prefixOf(prefix.address, length));
      if (ban !== undefined) return ban.prefix;
    }
    return null;
  }

  /** Asked while the prefix itself is not among the bans. */
  #outermostWithin(prefix: Prefix) {
    if (isHost(prefix)) return [];
    return [...this.#bans.values()].filter(
      (ban) => prefixCovers(prefix, ban.prefix) && this.#around(ban.prefix) === null,
    );
  }

  /** An earlier run's element can be deleted only where it begins and ends: half of another would be torn off. */
  #isExactly(prefix: Prefix): boolean {
    const isAt = (key: Uint8Array, flags: number): boolean => {
      const found = readElement(this.#session, this.#set, key, flags);
      return found !== null && Buffer.compare(addressToBytes(found.address), key) === 0;
    };
    const behind = keyBehind(prefix);
    return (
      isAt(addressToBytes(prefix.address), 0) && (behind === null || isAt(behind, NFT_SET_ELEM_INTERVAL_END))
    );
  }
}

/** Changes in one transaction. The kernel's cost is that of the whole set, for each. */
const AT_ONCE = 500;

function deletion({ prefix }: { readonly prefix: Prefix }): ElementChange {
  return { kind: "delete", prefix };
}

/** Of each element the last word, deletions first: nothing overlaps in between then. */
function lastOfEach(changes: readonly ElementChange[]): readonly ElementChange[] {
  const last = new Map(changes.map((change) => [formatPrefix(change.prefix), change]));
  const all = [...last.values()];
  return [...all.filter(({ kind }) => kind === "delete"), ...all.filter(({ kind }) => kind !== "delete")];
}
