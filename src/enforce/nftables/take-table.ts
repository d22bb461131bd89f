import { StoplogError } from "../../core/errors.ts";
import { EPERM } from "../../kernel/native/system-error.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { NFT_TABLE_F_OWNER, NFT_TABLE_F_PERSIST } from "./constants.ts";
import { TableWriter } from "./messages.ts";
import type { Failure, Session } from "./session.ts";

export interface TableWish {
  readonly table: string;
  /** Whether it shall be ours alone, where the kernel can do that. */
  readonly owner: boolean;
}

/**
 * Makes the table, or takes over the one that is there with these flags (null: there is none); answers whether it is ours alone
 * now. A transaction of its own: the kernel takes no base chain in one that changes a table's owner.
 */
export function takeTable(session: Session, flags: number | null, { table, owner }: TableWish): boolean {
  let failures: readonly Failure[] = [];
  for (const wanted of flagsToTry(flags, owner)) {
    failures = session.transact((batch) => new TableWriter(batch, table).table(wanted));
    if (failures.length === 0) return (wanted & NFT_TABLE_F_OWNER) !== 0;
  }
  throw tableRefusal(failures, table);
}

export function tableRefusal(failures: readonly Failure[], table: string): StoplogError {
  const first = failures[0]!;
  // Without the capability the kernel would have refused to list tables already.
  const fact = first.errno === EPERM ? `another program owns the table inet ${table}` : factOfAnswer(first);
  return new StoplogError(`Cannot use nftables: ${fact}`);
}

/** An existing table keeps its flags, unless it is an orphan: owner and persist were set, and its owner is gone. */
function flagsToTry(flags: number | null, owner: boolean): readonly number[] {
  const owned = NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST;
  if (flags === null) return owner ? [owned, 0] : [0];
  if ((flags & NFT_TABLE_F_PERSIST) === 0) return [flags & ~NFT_TABLE_F_OWNER];
  return owner ? [owned] : [owned, flags];
}
