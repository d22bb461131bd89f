import { setImmediate as nextTurn } from "node:timers/promises";
import type { Failure, Session } from "../../kernel/nftables/session.ts";
import { ENFILE, ENOENT } from "../../kernel/native/system-error.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import type { Refusal } from "../enforcer.ts";
import { refused } from "../last-changes.ts";
import type { BanSet } from "../ruleset/names.ts";
import { type ElementChange, isUnban, lastOfEach } from "../ruleset/standing-sets.ts";
import { ElementWriter, type WriteOptions } from "./element-writer.ts";
import type { Pieces } from "./desired-elements.ts";
import { readBan } from "./read-bans.ts";

/** Elements in one transaction: blocks the event loop for about 1 ms. */
export const BATCH_ELEMENTS = 1000;

export interface CommitOptions extends WriteOptions {
  /** The bound of each set, for the message when it is reached. */
  readonly size: number;
}

export interface Committed {
  readonly refusals: readonly Refusal[];
  /** True when the table or a set did not exist: another program deleted it. */
  readonly gone: boolean;
}

/**
 * Applies changes, in transactions of at most BATCH_ELEMENTS with a turn of the event loop between them. A transaction is all or
 * nothing. When the kernel refuses one and names an element, the changes before it are sent again, the element is refused, and the
 * changes after it follow. With `into` all changes go to that set.
 */
export async function commitElements(
  session: Session,
  changes: Pieces,
  options: CommitOptions,
  into?: BanSet,
): Promise<Committed> {
  const commit = new Commit(session, options);
  for (let from = 0; from < changes.length; from += BATCH_ELEMENTS) {
    if (from > 0) await nextTurn();
    const part = changes.slice(from, from + BATCH_ELEMENTS);
    const placed = into === undefined ? part : part.map(({ change }) => ({ set: into, change }));
    // Older kernels refuse to delete an element twice in one transaction. Linux 6.18 compares each new end of an element with the end that it
    // had before the transaction: of the ends 1 h, 2 h and 1 h it keeps 2 h.
    await commit.all(lastOfEach(placed));
  }
  return commit;
}

/** After this many refusals in a part the rest is sent one by one: to send it again each time would take quadratic time. */
const SINGLY_AFTER = 8;

class Commit implements Committed {
  readonly refusals: Refusal[] = [];
  gone = false;
  readonly #session: Session;
  readonly #options: CommitOptions;

  constructor(session: Session, options: CommitOptions) {
    this.#session = session;
    this.#options = options;
  }

  async all(part: readonly ElementChange[]): Promise<void> {
    let refused = 0;
    // A stack: the last part is sent next.
    const pending: (readonly ElementChange[])[] = [part];
    for (let changes = pending.pop(); changes !== undefined; changes = pending.pop()) {
      if (changes.length === 0) continue;
      const first = this.#attempt(changes);
      if (first === null) continue;
      const { failure, index } = first;
      // The kernel needs some 10 ms to roll back a refused transaction.
      await nextTurn();
      if (failure.errno === ENFILE && index >= 0) {
        // Everything before it fits and fills the set, so new elements after it need not be tried.
        const before = changes.slice(0, index);
        if (before.length > 0) this.#resend(before);
        pending.push(await this.#withoutNew(changes.slice(index), changes[index]!.set, failure));
      } else if (changes.length === 1) this.#note(changes[0]!, failure);
      else if (index >= 0) {
        this.#note(changes[index]!, failure);
        const rest = changes.slice(index + 1);
        if (++refused < SINGLY_AFTER) pending.push(rest);
        else for (const one of rest.toReversed()) pending.push([one]);
        pending.push(changes.slice(0, index));
      } else if (failure.errno === ENOENT) {
        for (const one of changes) this.#note(one, failure);
      } else {
        // The kernel did not name the element.
        const middle = changes.length >>> 1;
        pending.push(changes.slice(middle), changes.slice(0, middle));
      }
    }
  }

  /** The first refusal, and the index of its change (-1 when unknown); null when every change was applied. */
  #attempt(changes: readonly ElementChange[]): { readonly failure: Failure; readonly index: number } | null {
    let writer: ElementWriter | undefined;
    const failures = this.#session.transact((batch) => {
      writer = new ElementWriter(batch, this.#options);
      writer.write(changes);
    });
    if (failures.length === 0) return null;
    const found = failures.map((failure) => ({ failure, index: writer?.changeOf(failure) ?? -1 }));
    const unplaced = found.find(({ index }) => index < 0);
    return unplaced ?? found.reduce((a, b) => (b.index < a.index ? b : a));
  }

  /** Sends changes that fitted a moment ago. Another program may have filled the set since. */
  #resend(changes: readonly ElementChange[]): void {
    const first = this.#attempt(changes);
    if (first !== null) for (const one of changes) this.#note(one, first.failure);
  }

  /** Refuses the bans that would be new in a full set. Answers the others: elements that exist, and changes to other sets. */
  async #withoutNew(
    changes: readonly ElementChange[],
    full: BanSet,
    failure: Failure,
  ): Promise<readonly ElementChange[]> {
    const rest: ElementChange[] = [];
    for (const one of changes) {
      const ours =
        one.set === full && (!isUnban(one.change, this.#options.now) || this.#options.dialect === "replace");
      if (!ours || this.#exists(full, one)) rest.push(one);
      else this.#note(one, failure);
    }
    await nextTurn();
    // No change could be refused, so to try all of them again would not end.
    if (rest.length === changes.length) {
      this.#note(changes[0]!, failure);
      return rest.slice(1);
    }
    return rest;
  }

  #exists(set: BanSet, { change }: ElementChange): boolean {
    return readBan(this.#session, this.#options.table, set, change.prefix) !== null;
  }

  #note({ set, change }: ElementChange, failure: Failure): void {
    const unbans = isUnban(change, this.#options.now);
    if (failure.errno === ENOENT) this.gone = true;
    // In the older dialect an unban begins with an add. When a full set refuses it, the element did not exist.
    if (failure.errno === ENFILE && unbans) return;
    const why =
      failure.errno === ENFILE
        ? `the set ${set.name} is full with ${this.#options.size} elements`
        : failure.errno === ENOENT
          ? `the set ${set.name} of table ${this.#options.table} is gone`
          : factOfAnswer(failure);
    const one = { ...change, kind: unbans ? "unban" : "ban" } as const;
    this.refusals.push(refused(one, why, failure.errno === ENFILE ? "full" : "enough"));
  }
}
