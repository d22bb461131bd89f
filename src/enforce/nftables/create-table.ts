import type { Family } from "../../core/family.ts";
import { NFT_SET_TIMEOUT } from "../../kernel/nftables/constants.ts";
import type { FoundSet } from "../../kernel/nftables/find-table.ts";
import type { OwnTable } from "../../kernel/nftables/own-table.ts";
import type { PacketTarget } from "../enforcer.ts";
import { chainsOf, helperSetsOf } from "../ruleset/ban-rules.ts";
import { type BanSet, banSet, parseBanSet } from "../ruleset/names.ts";
import { writeBanSet, writeHelperSet } from "./write-sets.ts";

export interface Created {
  /** The sets of bans that exist now. */
  readonly sets: readonly BanSet[];
  /** Those of them that were made now, and are empty. */
  readonly made: readonly BanSet[];
  /** Those of them that an earlier run made with another bound. */
  readonly misshapen: readonly BanSet[];
}

/**
 * Gives the table the contents that these targets need. Sets of bans are kept with their elements; chains, rules and the other sets
 * are always made again, which costs less than to compare them.
 */
export async function createTable(
  table: OwnTable,
  targets: readonly PacketTarget[],
  size: number,
): Promise<Created> {
  let created: Created = { sets: [], made: [], misshapen: [] };
  await table.create((found) => {
    const kept = found.sets.flatMap((set) => keptSet(set, targets));
    const names = new Set(kept.map(({ set }) => set.name));
    const missing = targets
      .flatMap(({ name }) => FAMILIES.map((family) => banSet(name, family, null)))
      .filter((set) => !names.has(set.name));
    const sets = [...kept.map(({ set }) => set), ...missing];
    const misshapen = kept.filter((one) => one.size !== size).map(({ set }) => set);
    created = { sets, made: missing, misshapen };
    return {
      sets: names,
      objects: new Set(),
      write: (writer) => {
        for (const set of missing) writeBanSet(writer, set, size);
        for (const set of helperSetsOf(targets)) writeHelperSet(writer, set);
        writer.chains(chainsOf(targets, sets));
      },
    };
  });
  return created;
}

const FAMILIES: readonly Family[] = ["v4", "v6"];

/** An existing set of bans of one of our targets, if its type and flags are right. */
function keptSet(found: FoundSet, targets: readonly PacketTarget[]): { set: BanSet; size: number }[] {
  const set = parseBanSet(found.name);
  if (set === null || !targets.some(({ name }) => name === set.target)) return [];
  const fits = found.flags === NFT_SET_TIMEOUT && found.keyLength === (set.family === "v4" ? 4 : 16);
  return fits ? [{ set, size: found.size }] : [];
}
