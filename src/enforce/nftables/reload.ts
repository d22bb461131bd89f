import { mustHold } from "../../kernel/nftables/session.ts";
import type { OwnTable } from "../../kernel/nftables/own-table.ts";
import type { TableWriter } from "../../kernel/nftables/table-writer.ts";
import type { PacketTarget, Refusal } from "../enforcer.ts";
import { sourceChain } from "../ruleset/ban-rules.ts";
import { type BanSet, banSet } from "../ruleset/names.ts";
import { lastOfEach } from "../ruleset/standing-sets.ts";
import { commitElements, type CommitOptions } from "./commit.ts";
import type { Pieces } from "./desired-elements.ts";
import { ElementWriter } from "./element-writer.ts";
import { writeBanSet } from "./write-sets.ts";

/** Up to this many elements are flushed and written again in one transaction, which blocks the event loop for some 10 ms. */
export const AT_ONCE = 4000;

export interface Reload {
  readonly table: OwnTable;
  readonly target: PacketTarget;
  readonly set: BanSet;
  /** All sets of bans that exist, this one among them. */
  readonly sets: readonly BanSet[];
  /** What the set shall hold, and nothing else. */
  readonly changes: Pieces;
  readonly options: CommitOptions;
}

/** Flushes a small set and fills it again, in one transaction. False when the kernel refused it: then nothing changed. */
export function reloadAtOnce({ table, set, changes, options }: Reload): boolean {
  const failures = table.transact((writer, batch) => {
    writer.flushSet(set.name);
    new ElementWriter(batch, options).write(lastOfEach(changes.slice()));
  });
  return failures.length === 0;
}

/**
 * Fills a large set again without blocking the event loop, and without a moment in which a ban that stays is not enforced:
 *
 *      1  set + spare, rules ask both     the spare is filled, a thousand elements at a time
 *      2  new empty set + spare           one transaction: the old set goes, with everything that is not desired
 *      3  set is filled                   as in 1
 *      4  set                             the spare goes
 *
 * The kernel frees the memory of a deleted set in a thread of its own.
 */
export async function reloadInSteps(reload: Reload): Promise<readonly Refusal[]> {
  const { table, set, sets, changes, options } = reload;
  const spare = banSet(set.target, set.family, set.length, true);
  const others = sets.filter(({ name }) => name !== set.name && name !== spare.name);
  const rewrite = (what: string, asked: readonly BanSet[], write: (writer: TableWriter) => void) =>
    mustHold(
      what,
      table.transact((writer) => rewriteChain(writer, { ...reload, sets: [...others, ...asked] }, write)),
    );

  // A spare that exists was left by a run that ended in the middle: it may hold what the set itself does not.
  if (!sets.some(({ name }) => name === spare.name)) {
    rewrite(`make the set ${spare.name}`, [set, spare], (writer) => writeBanSet(writer, spare, options.size));
  }
  await commitElements(table.session, changes, options, spare);
  rewrite(`make the set ${set.name} again`, [set, spare], (writer) => {
    writer.deleteSet(set.name);
    writeBanSet(writer, set, options.size);
  });
  const { refusals } = await commitElements(table.session, changes, options);
  rewrite(`delete the set ${spare.name}`, [set], (writer) => writer.deleteSet(spare.name));
  return refusals;
}

/** Flushes a source chain, changes sets, and writes the chain again so that it asks `sets`. */
export function rewriteChain(
  writer: TableWriter,
  { target, set, sets }: Pick<Reload, "target" | "set" | "sets">,
  write: (writer: TableWriter) => void,
): void {
  const chain = sourceChain(target, set.family, sets);
  writer.flushChain(chain.name);
  write(writer);
  writer.rules(chain);
}
