import type { Batch } from "../../kernel/netlink/batch.ts";
import type { Refusal, PacketTarget } from "../enforcer.ts";
import { type BanSet, banSet } from "../ruleset/names.ts";
import { sourceChain } from "../ruleset/ruleset.ts";
import { commitElements, type CommitOptions } from "./commit.ts";
import { lastOfEach } from "../ruleset/standing-sets.ts";
import { ElementWriter } from "./elements.ts";
import { TableWriter } from "./messages.ts";
import { mustHold, type Session } from "./session.ts";
import type { Pieces } from "./wanted.ts";

/** So many elements are flushed and written again in one transaction: it keeps the event loop for some 10 ms. */
export const AT_ONCE = 4000;

export interface Refill {
  readonly session: Session;
  readonly target: PacketTarget;
  readonly set: BanSet;
  /** All sets of bans that stand, this one among them. */
  readonly sets: readonly BanSet[];
  /** What shall stand in the set, and nothing else. */
  readonly changes: Pieces;
  readonly options: CommitOptions;
}

/** Empties a small set and fills it again, in one transaction. False when the kernel refused it: nothing changed then. */
export function refillAtOnce({ session, set, changes, options }: Refill): boolean {
  const failures = session.transact((batch) => {
    new TableWriter(batch, options.table).flushSet(set.name);
    new ElementWriter(batch, options).write(lastOfEach(changes.slice()));
  });
  return failures.length === 0;
}

/**
 * Makes a large set anew without keeping the event loop, and without a moment in which a ban that stays is unbanned:
 *
 *      1  set + spare, both asked         the spare is filled, a thousand elements at a time
 *      2  new empty set + spare           one transaction: the old set goes with all that was not wanted
 *      3  set is filled, spare is asked   as in 1
 *      4  set                             the spare goes
 *
 * The kernel frees a set that was taken away in a thread of its own.
 */
export async function refillInSteps(refill: Refill): Promise<readonly Refusal[]> {
  const { session, set, sets, changes, options } = refill;
  const spare = banSet(set.target, set.family, set.length, true);
  const others = sets.filter(({ name }) => name !== set.name && name !== spare.name);
  const rewrite = (what: string, standing: readonly BanSet[], write: (writer: TableWriter) => void) =>
    mustHold(
      what,
      session.transact((batch) =>
        rewriteChain(batch, { ...refill, ...options, sets: [...others, ...standing] }, write),
      ),
    );

  // One that is there was left by a run that ended in the middle: it may hold what the set itself does not.
  if (!sets.some(({ name }) => name === spare.name)) {
    rewrite(`make the set ${spare.name}`, [set, spare], (writer) => writer.banSet(spare, options.size));
  }
  await commitElements(session, changes, options, spare);
  rewrite(`make the set ${set.name} anew`, [set, spare], (writer) => {
    writer.deleteSet(set.name);
    writer.banSet(set, options.size);
  });
  const { refusals } = await commitElements(session, changes, options);
  rewrite(`take away the set ${spare.name}`, [set], (writer) => writer.deleteSet(spare.name));
  return refusals;
}

/** Takes the rules out of a source chain, does something to the sets, and lets it ask the sets that stand then. */
export function rewriteChain(
  batch: Batch,
  { target, set, sets, table }: Pick<Refill, "target" | "set" | "sets"> & { readonly table: string },
  write: (writer: TableWriter) => void,
): void {
  const writer = new TableWriter(batch, table);
  const chain = sourceChain(target, set.family, sets);
  writer.flushChain(chain.name);
  write(writer);
  writer.rules(chain);
}
