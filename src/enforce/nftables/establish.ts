import type { PacketTarget } from "../enforcer.ts";
import { type BanSet, banSet, parseBanSet } from "../ruleset/names.ts";
import { chainsOf, helperSetsOf } from "../ruleset/ruleset.ts";
import { NFT_SET_TIMEOUT } from "./constants.ts";
import { TableWriter } from "./messages.ts";
import { findTable, type FoundSet } from "./read.ts";
import type { Session } from "./session.ts";
import { tableRefusal, takeTable } from "./take-table.ts";

export interface Shape {
  readonly table: string;
  /** Bound of each set of bans. */
  readonly size: number;
  /** Whether the table shall be ours alone, where the kernel can do that. */
  readonly owner: boolean;
}

export interface Established {
  readonly owned: boolean;
  /** The sets of bans that stand now. */
  readonly sets: readonly BanSet[];
  /** Those of them that an earlier run left and that have another bound. */
  readonly misshapen: readonly BanSet[];
}

/**
 * Makes the table have the right shape, its contents in one transaction: whatever stood there before is in force until all of the
 * new stands. Sets of bans are kept with their elements; chains, rules and the other sets are always made anew, which
 * costs less than to find out what differs.
 */
export async function establish(
  session: Session,
  targets: readonly PacketTarget[],
  shape: Shape,
): Promise<Established> {
  const found = await findTable(session, shape.table);
  const kept = found.sets.flatMap((set) => keptSet(set, targets));
  const sets = kept.map(({ set }) => set);
  for (const { name } of targets) {
    for (const family of ["v4", "v6"] as const) {
      const hosts = banSet(name, family, null);
      if (!sets.some((set) => set.name === hosts.name)) sets.push(hosts);
    }
  }
  const names = new Set(kept.map(({ set }) => set.name));
  const owned = takeTable(session, found.flags, shape);
  const failures = session.transact((batch) => {
    const writer = new TableWriter(batch, shape.table);
    for (const chain of found.chains) writer.flushChain(chain);
    for (const chain of found.chains) writer.deleteChain(chain);
    for (const { name } of found.sets) if (!names.has(name)) writer.deleteSet(name);
    for (const set of sets) if (!names.has(set.name)) writer.banSet(set, shape.size);
    for (const set of helperSetsOf(targets)) writer.helperSet(set);
    const chains = chainsOf(targets, sets);
    for (const chain of chains) writer.chain(chain);
    for (const chain of chains) writer.rules(chain);
  });
  if (failures.length > 0) throw tableRefusal(failures, shape.table);
  const misshapen = kept.filter(({ size }) => size !== shape.size).map(({ set }) => set);
  return { owned, sets, misshapen };
}

/** A set of bans of one of our targets that can go on holding them. */
function keptSet(found: FoundSet, targets: readonly PacketTarget[]): { set: BanSet; size: number }[] {
  const set = parseBanSet(found.name);
  if (set === null || !targets.some(({ name }) => name === set.target)) return [];
  const fits = found.flags === NFT_SET_TIMEOUT && found.keyLength === (set.family === "v4" ? 4 : 16);
  return fits ? [{ set, size: found.size }] : [];
}
