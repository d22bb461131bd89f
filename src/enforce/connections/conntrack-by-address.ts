import { setImmediate as nextTurn } from "node:timers/promises";
import { type Address, isV4 } from "../../core/address.ts";
import { isHost } from "../../core/prefix.ts";
import { countEntries, deleteSource } from "../../kernel/conntrack/delete-source.ts";
import { EINVAL, EOPNOTSUPP } from "../../kernel/native/system-error.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";
import type { Banned } from "./banned.ts";
import type { Cut } from "./cuttable.ts";

/**
 * The banned addresses, when it costs less to let the kernel search for each of them than to list all entries; else
 * null. IPv4 only: of IPv6, Linux 6.18 deletes every entry except the ones that the filter describes (ctnetlink_filter_match_tuple has
 * the comparison upside down). Measured with 262,144 hash buckets, in ms:
 *
 *      entries                        100    1,000   10,000   100,000
 *      search for one, in a call      0.1      0.3      2.4        25      skips empty buckets, is not interrupted
 *      list all, in steps              10       20       33       226      locks each bucket; a step sees many
 */
export function addressesToAskFor(banned: Banned, entries: number): readonly Address[] | null {
  if (entries > LONGEST_CALL) return null;
  if (banned.size * (entries + CALL) > LISTED * entries + LIST) return null;
  const prefixes = [...banned.prefixes()];
  return prefixes.every((prefix) => isHost(prefix) && isV4(prefix.address))
    ? prefixes.map((prefix) => prefix.address)
    : null;
}

/**
 * Makes the kernel delete what each IPv4 address opened, with a turn of the event loop between the
 * calls. The number of deleted entries is what the table has shrunk by. Null when this kernel does not support it; then nothing was
 * done.
 */
export async function cutByAddress(
  addresses: readonly Address[],
  socket: NetlinkSocket,
  stopped: () => boolean,
): Promise<Cut | null> {
  let cut = 0;
  for (const address of addresses) {
    if (stopped()) return { cut, refused: 0, trouble: null };
    const before = countEntries(socket) ?? 0;
    const answer = deleteSource(socket, address);
    if (answer.errno === EOPNOTSUPP || answer.errno === EINVAL) return null;
    if (answer.errno !== 0) return { cut, refused: 0, trouble: { doing: "cut", answer } };
    cut += Math.max(0, before - (countEntries(socket) ?? 0));
    await nextTurn();
  }
  return { cut, refused: 0, trouble: null };
}

/** The largest table that one call may search: 1 ms, and 4 more when all entries are deleted. */
const LONGEST_CALL = 5000;

// Costs, in units of skipping one entry (0.23 µs): a call, listing one entry, and listing an empty table.
const CALL = 430;
const LISTED = 10;
const LIST = 43_000;
