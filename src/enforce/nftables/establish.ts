import { StoplogError } from "../../core/errors.ts";
import { factOfAnswer } from "../../netlink/errors.ts";
import { EPERM } from "../../native/system-error.ts";
import type { PacketTarget } from "../enforcer.ts";
import { type BanSet, banSet, parseBanSet } from "../ruleset/names.ts";
import { chainsOf, helperSetsOf } from "../ruleset/ruleset.ts";
import { NFT_SET_TIMEOUT, NFT_TABLE_F_OWNER, NFT_TABLE_F_PERSIST } from "./constants.ts";
import { TableWriter } from "./messages.ts";
import { findTable, type Found, type FoundSet } from "./read.ts";
import type { Failure, Session } from "./session.ts";

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
  const owned = takeTable(session, found, shape);
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
  if (failures.length > 0) throw refusal(failures, shape.table);
  const misshapen = kept.filter(({ size }) => size !== shape.size).map(({ set }) => set);
  return { owned, sets, misshapen };
}

/**
 * Makes the table, or takes over the one that is there; answers whether it is ours alone now. A transaction of its
 * own: the kernel takes no base chain in one that changes a table's owner.
 */
function takeTable(session: Session, found: Found, { table, owner }: Shape): boolean {
  let failures: readonly Failure[] = [];
  for (const flags of flagsToTry(found, owner)) {
    failures = session.transact((batch) => new TableWriter(batch, table).table(flags));
    if (failures.length === 0) return (flags & NFT_TABLE_F_OWNER) !== 0;
  }
  throw refusal(failures, table);
}

/** An existing table keeps its flags, unless it is an orphan: owner and persist were set, and its owner is gone. */
function flagsToTry(found: Found, owner: boolean): readonly number[] {
  const owned = NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST;
  if (found.flags === null) return owner ? [owned, 0] : [0];
  if ((found.flags & NFT_TABLE_F_PERSIST) === 0) return [found.flags & ~NFT_TABLE_F_OWNER];
  return owner ? [owned] : [owned, found.flags];
}

/** A set of bans of one of our targets that can go on holding them. */
function keptSet(found: FoundSet, targets: readonly PacketTarget[]): { set: BanSet; size: number }[] {
  const set = parseBanSet(found.name);
  if (set === null || !targets.some(({ name }) => name === set.target)) return [];
  const fits = found.flags === NFT_SET_TIMEOUT && found.keyLength === (set.family === "v4" ? 4 : 16);
  return fits ? [{ set, size: found.size }] : [];
}

function refusal(failures: readonly Failure[], table: string): StoplogError {
  const first = failures[0]!;
  // Without the capability the kernel would have refused to list tables already.
  const fact = first.errno === EPERM ? `another program owns the table inet ${table}` : factOfAnswer(first);
  return new StoplogError(`Cannot use nftables: ${fact}`);
}
