import { setImmediate as nextTurn } from "node:timers/promises";
import { factOfAnswer } from "../../netlink/errors.ts";
import { ENFILE, ENOENT } from "../../native/system-error.ts";
import { formatPrefix } from "../../core/prefix.ts";
import type { Refusal } from "../enforcer.ts";
import { type ElementChange, isLift, lastOfEach } from "../ruleset/standing-sets.ts";
import { ElementWriter, type WriteOptions } from "./elements.ts";
import type { Failure, Session } from "./session.ts";

/** Elements in one transaction: about 1 ms of the event loop. */
export const BATCH_ELEMENTS = 1000;

export interface CommitOptions extends WriteOptions {
  /** The bound of each set, to be named when it is reached. */
  readonly size: number;
}

export interface Committed {
  readonly refusals: readonly Refusal[];
  /** True when the table or a set was not there: somebody took it away. */
  readonly gone: boolean;
}

/**
 * Makes changes hold, in transactions of at most BATCH_ELEMENTS with a turn of the event loop between them. A
 * transaction is all or nothing, so where the kernel refuses one its word about the place is taken: what stands
 * before is sent again and holds, the bad one is refused, and what stands behind comes next.
 */
export async function commitElements(
  session: Session,
  changes: readonly ElementChange[],
  options: CommitOptions,
): Promise<Committed> {
  const refusals: Refusal[] = [];
  let gone = false;
  for (let from = 0; from < changes.length; from += BATCH_ELEMENTS) {
    if (from > 0) await nextTurn();
    const slice = changes.slice(from, from + BATCH_ELEMENTS);
    // Deleting an element twice in one transaction is refused.
    const part = options.dialect === "replace" ? lastOfEach(slice) : slice;
    gone = commitPart(session, part, options, refusals) || gone;
  }
  return { refusals, gone };
}

/** After so many refusals in a part the rest goes one by one: sending the rest again each time would grow as the square. */
const SINGLY_AFTER = 8;

function commitPart(
  session: Session,
  part: readonly ElementChange[],
  options: CommitOptions,
  refusals: Refusal[],
): boolean {
  let gone = false;
  let refused = 0;
  const pending: { from: number; to: number }[] = [{ from: 0, to: part.length }];
  for (let range = pending.pop(); range !== undefined; range = pending.pop()) {
    const { from, to } = range;
    if (from === to) continue;
    const first = attempt(session, part.slice(from, to), options);
    if (first === null) continue;
    if (first.index < 0 || to - from === 1) {
      // Not about one element: the set or the table is missing, or the kernel does not say what.
      if (to - from > 1 && first.failure.errno !== ENOENT) {
        const middle = (from + to) >>> 1;
        pending.push({ from: middle, to }, { from, to: middle });
        continue;
      }
      gone ||= first.failure.errno === ENOENT;
      for (let i = from; i < to; i++) note(refusals, part[i]!, first.failure, options);
      continue;
    }
    const bad = from + first.index;
    note(refusals, part[bad]!, first.failure, options);
    if (++refused < SINGLY_AFTER) pending.push({ from: bad + 1, to });
    else for (let i = to - 1; i > bad; i--) pending.push({ from: i, to: i + 1 });
    pending.push({ from, to: bad });
  }
  return gone;
}

/** What was refused first, and at which change; null when all of it holds. */
function attempt(
  session: Session,
  changes: readonly ElementChange[],
  options: CommitOptions,
): { readonly failure: Failure; readonly index: number } | null {
  let writer: ElementWriter | undefined;
  const failures = session.transact((batch) => {
    writer = new ElementWriter(batch, options);
    writer.write(changes);
  });
  if (failures.length === 0) return null;
  const found = failures.map((failure) => ({ failure, index: writer?.changeOf(failure) ?? -1 }));
  const unplaced = found.find(({ index }) => index < 0);
  return unplaced ?? found.reduce((a, b) => (b.index < a.index ? b : a));
}

function note(
  refusals: Refusal[],
  { set, change }: ElementChange,
  failure: Failure,
  options: CommitOptions,
): void {
  // A full set refuses the add that goes before a delete: then there was nothing to delete.
  if (failure.errno === ENFILE && isLift(change, options.now)) return;
  const { prefix, target } = change;
  const what = isLift(change, options.now) ? "lift the ban of" : "ban";
  const fact =
    failure.errno === ENFILE
      ? `the set ${set.name} is full with ${options.size} elements`
      : failure.errno === ENOENT
        ? `the set ${set.name} of table ${options.table} is gone`
        : factOfAnswer(failure);
  refusals.push({ prefix, target, fact: `Cannot ${what} ${formatPrefix(prefix)} at ${target}: ${fact}` });
}
