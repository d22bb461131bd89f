import { NFT_SET_EVAL, NFT_SET_INTERVAL, NFT_SET_TIMEOUT } from "../../kernel/nftables/constants.ts";
import type { TableWriter } from "../../kernel/nftables/table-writer.ts";
import type { HelperSet } from "../ruleset/ban-rules.ts";
import type { BanSet } from "../ruleset/names.ts";

/** Makes a set of bans, whose elements have ends. */
export function writeBanSet(writer: TableWriter, { name, family }: BanSet, size: number): void {
  writer.set({ name, key: family, flags: NFT_SET_TIMEOUT, size });
}

export function writeHelperSet(writer: TableWriter, set: HelperSet): void {
  const { name } = set;
  if (set.kind === "ports") {
    writer.set({ name, key: "port", flags: NFT_SET_INTERVAL });
    writer.addPorts(name, set.ranges);
  } else {
    const { family, size, timeout } = set;
    writer.set({ name, key: family, flags: NFT_SET_EVAL | NFT_SET_TIMEOUT, size, timeout: timeout * 1000 });
  }
}
