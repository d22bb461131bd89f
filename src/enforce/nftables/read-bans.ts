import { type Address, addressToBytes, isV4 } from "../../core/address.ts";
import { cannot } from "../../core/errors.ts";
import { type Prefix, prefixOf } from "../../core/prefix.ts";
import { type Duration, type Instant, SECOND } from "../../core/time.ts";
import { NFPROTO_INET } from "../../kernel/nftables/constants.ts";
import {
  listElements,
  lookUpElement,
  READ_BOUND,
  type SetElement,
  type SetPlace,
} from "../../kernel/nftables/read-elements.ts";
import type { Session } from "../../kernel/nftables/session.ts";
import { type Answer, factOfAnswer } from "../../kernel/netlink/errors.ts";
import type { BanSet } from "../ruleset/names.ts";

/** A ban as it is in the kernel. */
export interface Element {
  readonly prefix: Prefix;
  readonly until: Instant;
}

/** The bans in a set; null when there are more than `bound`. */
export async function readBans(
  table: string,
  set: BanSet,
  now: Instant,
  bound: number = READ_BOUND,
): Promise<readonly Element[] | null> {
  const { bans, isAll } = await readUpTo(table, set, { now, most: bound });
  return isAll ? bans : null;
}

/**
 * Up to `most` bans in a set, as many as can be read in LONGEST_READ, and whether these are all.
 *
 * A set that changes, or whose hash table grows, shows some elements twice and others not at all, and the kernel does
 * not always say so. So a set is read until a reading brings nothing new, at most three times.
 */
export async function readUpTo(
  table: string,
  set: BanSet,
  { now, most }: { readonly now: Instant; readonly most: number },
): Promise<{ readonly bans: readonly Element[]; readonly isAll: boolean }> {
  const elements = new Map<number | string, Element>();
  const began = performance.now();
  const isLate = (): boolean => performance.now() - began > LONGEST_READ;
  let isAll = true;
  for (let reading = 1; reading <= 3 && isAll && !isLate(); reading++) {
    const before = elements.size;
    const ended = await listElements(placeOf(table, set), now, (element) => {
      const key = keyOf(element.address);
      isAll = (elements.size < most || elements.has(key)) && (reading > 1 || !isLate());
      if (isAll) elements.set(key, banIn(set, element));
      return isAll && !isLate();
    });
    if (ended.errno !== 0) throw cannot(`read the set ${set.name}`, factOfAnswer(ended));
    if (!ended.interrupted && (elements.size === before || elements.size <= ONE_PART)) break;
  }
  return { bans: [...elements.values()], isAll };
}

/** The first `most` bans that the kernel lists, and how the list ended. */
export async function readSomeBans(
  table: string,
  set: BanSet,
  { now, most }: { readonly now: Instant; readonly most: number },
): Promise<{ readonly bans: readonly Element[]; readonly ended: Answer }> {
  const bans: Element[] = [];
  const ended = await listElements(placeOf(table, set), now, (element) => {
    bans.push(banIn(set, element));
    return bans.length < most;
  });
  return { bans, ended };
}

/** The ban of one prefix, looked up alone, with its end counted from 0; null when it is not in the set. */
export function readBan(session: Session, table: string, set: BanSet, prefix: Prefix): Element | null {
  const found = lookUpElement(session, placeOf(table, set), addressToBytes(prefix.address));
  return found === null ? null : banIn(set, found);
}

/** The start of the daemon waits for it, and systemd for the start: 90 s. */
const LONGEST_READ: Duration = 20 * SECOND;

/** Up to this many elements come in one message: the set cannot change in between. */
const ONE_PART = 100;

/** A number where that is enough: strings take most of the memory. */
function keyOf(address: Address): number | string {
  const { w0, w1, w2, w3 } = address;
  return isV4(address) ? w3 : `${w0} ${w1} ${w2} ${w3}`;
}

function placeOf(table: string, { name }: BanSet): SetPlace {
  return { family: NFPROTO_INET, table, set: name };
}

function banIn({ family, length }: BanSet, { address, until }: SetElement): Element {
  return { prefix: prefixOf(address, length ?? (family === "v4" ? 32 : 128)), until };
}
