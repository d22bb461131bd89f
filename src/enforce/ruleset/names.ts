import { isV4 } from "../../core/address.ts";
import type { Family } from "../../core/family.ts";
import { isHost, type Prefix } from "../../core/prefix.ts";
import { checkName } from "../../kernel/nftables/name.ts";
import type { AddressSet } from "../../kernel/nftables/rule.ts";

/**
 * A set of banned addresses. Each target and family has one for hosts, and one for each prefix length that was ever banned, which
 * holds the networks' first addresses:
 *
 *      ip saddr                   @default_v4        ip saddr & 255.255.255.0    @default_v4_24
 *
 * So networks may contain each other: each element has its own end, and the kernel looks up every length.
 */
export interface BanSet extends AddressSet {
  readonly target: string;
  /** Replaces the set of the same name without `_spare` while that one is made again. */
  readonly spare: boolean;
}

export function banSet(target: string, family: Family, length: number | null, spare = false): BanSet {
  const name = `${target}_${family}${length === null ? "" : `_${length}`}${spare ? "_spare" : ""}`;
  return { name, target, family, length, spare };
}

/** The set that holds a prefix at a target. */
export function banSetOf(prefix: Prefix, target: string): BanSet {
  return banSet(target, isV4(prefix.address) ? "v4" : "v6", isHost(prefix) ? null : prefix.length);
}

/** Parses the name of a set in our table; null for a set that does not hold bans. */
export function parseBanSet(name: string): BanSet | null {
  const parts = /^(.+)_(v4|v6)(?:_(\d{1,3}))?(_spare)?$/.exec(name);
  if (parts === null) return null;
  const [, target = "", family, length, spare] = parts;
  const set = banSet(
    target,
    family === "v4" ? "v4" : "v6",
    length === undefined ? null : Number(length),
    spare !== undefined,
  );
  return set.name === name && (set.length ?? 0) < (set.family === "v4" ? 32 : 128) ? set : null;
}

/** Throws a StoplogError for a target whose name nft could not print. */
export function checkTargetName(target: string): void {
  checkName(target, "a target");
}
