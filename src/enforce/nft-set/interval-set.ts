import { setImmediate as nextTurn } from "node:timers/promises";
import { addressToBytes, formatAddress } from "../../core/address.ts";
import { formatPrefix, isHost, type Prefix, prefixCovers, prefixOf } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import { PrefixMap } from "../../core/prefix-map.ts";
import { ENOENT } from "../../kernel/native/system-error.ts";
import { NFT_SET_ELEM_INTERVAL_END } from "../../kernel/nftables/constants.ts";
import type { Dialect } from "../nftables/element-writer.ts";
import type { Failure, Session } from "../../kernel/nftables/session.ts";
import type { ElementChange, ElementFailure, ElementSet } from "../admin-sets/admin-set.ts";
import { clockFrom } from "../ruleset/standing-sets.ts";
import { type FoundSet, labelOf } from "./find-set.ts";
import { type Access, EEXIST, reasonOf } from "./plain-set.ts";
import { readElement, readElements } from "./read-elements.ts";
import { keyBehind, writeElements } from "./write-elements.ts";

/**
 * A set of intervals. In the kernel intervals must not overlap: `auto-merge` is a feature of nft. So a ban that another ban contains is
 * not an element. It becomes one when the outer ban ends:
 *
 *      10.0.0.0/8 ⊃ 10.1.0.0/16      unban the first: delete 10.0.0.0/8, add 10.1.0.0/16, in one transaction
 *
 * The kernel lets two intervals share an end, and deleting one of them then damages the other: so new elements are added with EXCL.
 */
export class IntervalSet implements ElementSet {
  readonly label: string;
  readonly family: ElementSet["family"];
  readonly networks = true;
  readonly widestFirst = true;
  readonly #session: Session;
  readonly #set: FoundSet;
  readonly #dialect: Dialect;
  readonly #changed: () => void;
  /** All bans with their ends, including bans within bans. */
  readonly #bans = new PrefixMap<{ readonly prefix: Prefix; readonly until: Instant }>();

  constructor(set: FoundSet, { session, dialect, changed }: Access) {
    this.label = labelOf(set.name);
    this.family = set.family;
    this.#session = session;
    this.#set = set;
    this.#dialect = dialect;
    this.#changed = changed;
  }

  /** In one transaction, or, when that is refused, one by one: what becomes an element depends on the changes before it. */
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

  /** Our bans only. A ban is enforced when its element exists, or that of the ban that contains it. */
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

  /** Null when the kernel applied it. */
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

  /** Records a change, and answers the changes of elements that it means. */
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

  /** The widest ban that contains a prefix. */
  #around(prefix: Prefix): Prefix | null {
    for (let length = 0; length < prefix.length; length++) {
      const ban = this.#bans.get(prefixOf(prefix.address, length));
      if (ban !== undefined) return ban.prefix;
    }
    return null;
  }

  /** Call while the prefix itself is not among the bans. */
  #outermostWithin(prefix: Prefix) {
    if (isHost(prefix)) return [];
    return [...this.#bans.values()].filter(
      (ban) => prefixCovers(prefix, ban.prefix) && this.#around(ban.prefix) === null,
    );
  }

  /** An element of an earlier run may be deleted only when both its ends match: else a part of another interval would be cut off. */
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

/** Changes in one transaction. Each transaction costs the kernel as much as the whole set. */
const AT_ONCE = 500;

function deletion({ prefix }: { readonly prefix: Prefix }): ElementChange {
  return { kind: "delete", prefix };
}

/** The last change of each element, deletions first: then nothing overlaps in between. */
function lastOfEach(changes: readonly ElementChange[]): readonly ElementChange[] {
  const last = new Map(changes.map((change) => [formatPrefix(change.prefix), change]));
  const all = [...last.values()];
  return [...all.filter(({ kind }) => kind === "delete"), ...all.filter(({ kind }) => kind !== "delete")];
}
