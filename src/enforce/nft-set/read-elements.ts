import { type Address, addressToBytes } from "../../core/address.ts";
import { StoplogError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import {
  listElements,
  lookUpElement,
  READ_BOUND,
  type SetElement,
  type SetPlace,
} from "../../kernel/nftables/read-elements.ts";
import type { Session } from "../../kernel/nftables/session.ts";
import { type FoundSet, labelOf, numberOf } from "./find-set.ts";

/** All elements of a set. Rejects with a StoplogError when there are too many to be read. */
export async function readElements(set: FoundSet, now: Instant): Promise<readonly SetElement[]> {
  const elements: SetElement[] = [];
  const ended = await listElements(placeOf(set), now, (element) => elements.push(element) <= MOST);
  if (ended.errno !== 0) throw new StoplogError(`Cannot read ${labelOf(set.name)}: ${factOfAnswer(ended)}`);
  if (elements.length > MOST)
    throw new StoplogError(`Cannot read ${labelOf(set.name)}: it has more than ${READ_BOUND} elements`);
  return elements;
}

/** The element of that key, or the one around it in a set of intervals; null when the set has none. */
export function readElement(
  session: Session,
  set: FoundSet,
  key: Address | Uint8Array,
  flags = 0,
): SetElement | null {
  const bytes = key instanceof Uint8Array ? key : addressToBytes(key);
  return lookUpElement(session, placeOf(set), bytes, flags);
}

/** An interval is two elements. */
const MOST = 2 * READ_BOUND;

function placeOf({ name }: FoundSet): SetPlace {
  return { family: numberOf(name), table: name.table, set: name.set };
}
