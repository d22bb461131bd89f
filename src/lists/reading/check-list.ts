import {
  type AddressRanges,
  countAddresses,
  countNetworks,
  endsOf,
  mergeRanges,
  networksOf,
  RangeCollector,
  type Ranges,
  withoutRanges,
} from "../../core/ranges.ts";
import { isV4 } from "../../core/address.ts";
import { comparePrefixes, formatPrefix, isHost, type Prefix, prefixCovers } from "../../core/prefix.ts";
import type { Steps } from "../../core/turns.ts";
import type { SpecialNetwork } from "../../core/special-purpose.ts";

/** A network that was removed from a list. */
export interface TakenOut {
  readonly prefix: Prefix;
  /** 'private', 'an own address', 'allow-listed', 'an address from which a user is logged in'. */
  readonly why: string;
  /** Entries that overlapped it, counted after entries that overlap or touch were merged. */
  readonly entries: number;
}

/** A list that can be enforced. */
export interface CheckedList {
  readonly ranges: AddressRanges;
  readonly takenOut: readonly TakenOut[];
  /** Its size as written, and after the removals. */
  readonly listed: ListSize;
  readonly size: ListSize;
}

export interface ListSize {
  /** The fewest networks that make up the list. */
  readonly networks: number;
  /** Addresses of each family; floats, since IPv6 has many. */
  readonly v4: number;
  readonly v6: number;
}

/** Merges the entries of a list, and removes exempt networks: entries are split around them. */
export function* checkList(
  list: { readonly v4: Ranges; readonly v6: Ranges },
  exempt: Iterable<SpecialNetwork>,
): Steps<CheckedList> {
  const takenOut: TakenOut[] = [];
  const holes = [...exempt];
  const listed = { v4: yield* mergeRanges(list.v4), v6: yield* mergeRanges(list.v6) };
  const ranges = {
    v4: yield* takeOut(listed.v4, holes, takenOut),
    v6: yield* takeOut(listed.v6, holes, takenOut),
  };
  const size = yield* sizeOf(ranges);
  return { ranges, takenOut, listed: takenOut.length === 0 ? size : yield* sizeOf(listed), size };
}

/** How much a list may change between two versions, and how much it may cover. */
export interface SwayBounds {
  /** A list is held back when it is more than this many times as large as before … */
  readonly grow: number;
  /** … or smaller than this share of it … */
  readonly shrink: number;
  /** … and the difference is at least this many networks, or as many addresses as the widest allowed network has. */
  readonly difference: number;
  /** The share of all IPv4 addresses, or of all global IPv6 addresses, that a list may cover. */
  readonly cover: number;
}

export const DEFAULT_SWAY: SwayBounds = { grow: 2, shrink: 0.5, difference: 1000, cover: 0.25 };

/**
 * Why a list must not replace the previous one, as a phrase; null when it may. `before` is null for the first version. Sizes are those
 * as written: allow-listing a network must not hold a list back.
 */
export function swayFault(size: ListSize, before: ListSize | null, bounds: SwayBounds): string | null {
  // A version in use that covers too much was released by an operator.
  if (before !== null && isSameSize(size, before)) return null;
  if (size.v4 > bounds.cover * ALL_V4) return `it covers ${percent(size.v4 / ALL_V4)} of all IPv4 addresses`;
  if (size.v6 > bounds.cover * ALL_V6) return `it covers ${percent(size.v6 / ALL_V6)} of all IPv6 addresses`;
  if (before === null) return null;
  const [now, then] = [size.networks, before.networks];
  if (now - then >= bounds.difference && now > then * bounds.grow)
    return `it grew from ${then} to ${now} networks`;
  if (then - now >= bounds.difference && now < then * bounds.shrink)
    return `it shrank from ${then} to ${now} networks`;
  const wider = (a: number, b: number, difference: number) => a - b >= difference && a > b * bounds.grow;
  if (wider(size.v4, before.v4, ALL_V4 / 256) || wider(size.v6, before.v6, ALL_V6 / 256))
    return "it covers far more addresses than before, in few networks";
  return null;
}

/** `198.51.100.7 is allow-listed`, `10.0.0.0/8 is private, and was in 12 entries`. */
export function tellTakenOut({ prefix, why, entries }: TakenOut): string {
  const inside = entries > 1 && !isHost(prefix) ? `, and was in ${entries} entries` : "";
  return `${formatPrefix(prefix)} is ${why}${inside}`;
}

const ALL_V4 = 2 ** 32;
/** IANA assigns global addresses from 2000::/3 only. */
const ALL_V6 = 2 ** 125;

function isSameSize(a: ListSize, b: ListSize): boolean {
  return a.networks === b.networks && a.v4 === b.v4 && a.v6 === b.v6;
}

function* sizeOf({ v4, v6 }: AddressRanges): Steps<ListSize> {
  return {
    networks: countNetworks(yield* networksOf(v4)) + countNetworks(yield* networksOf(v6)),
    v4: yield* countAddresses(v4),
    v6: yield* countAddresses(v6),
  };
}

function* takeOut(listed: Ranges, exempt: readonly SpecialNetwork[], takenOut: TakenOut[]): Steps<Ranges> {
  let ranges = listed;
  const family = exempt.filter(({ prefix }) => isV4(prefix.address) === (listed.words === 1));
  // One reason after the other: an address that is both own and allow-listed is reported once.
  for (const why of new Set(family.map((one) => one.why))) {
    const prefixes = outermost(family.filter((one) => one.why === why).map(({ prefix }) => prefix));
    const holes = new RangeCollector(listed.words);
    for (const prefix of prefixes) {
      const { first, last } = endsOf(prefix);
      holes.add(first, last);
    }
    ranges = yield* withoutRanges(ranges, holes.ranges, (hole, entries) => {
      takenOut.push({ prefix: prefixes[hole]!, why, entries });
    });
  }
  return ranges;
}

/** In their order, without networks that another contains. */
function outermost(prefixes: Prefix[]): readonly Prefix[] {
  const kept: Prefix[] = [];
  for (const prefix of prefixes.sort(comparePrefixes)) {
    const before = kept.at(-1);
    if (before === undefined || !prefixCovers(before, prefix)) kept.push(prefix);
  }
  return kept;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
