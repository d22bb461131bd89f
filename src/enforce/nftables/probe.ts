import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import { FOREVER, HOUR, type Instant } from "../../core/time.ts";
import type { Session } from "../../kernel/nftables/session.ts";
import { TableWriter } from "../../kernel/nftables/table-writer.ts";
import type { Enforcement } from "../enforcer.ts";
import { banSet } from "../ruleset/names.ts";
import { type Dialect, ElementWriter } from "./element-writer.ts";
import { readBan } from "./read-bans.ts";
import { writeBanSet } from "./write-sets.ts";

/**
 * Finds the dialect of this kernel by trying it, in a set of our own table that no rule uses: adding an element again must change
 * its end to a later one, an earlier one, none and back, and deleting an element that does not exist must succeed. Version numbers
 * do not tell: distributions backport changes.
 */
export function probeDialect(session: Session, table: string): Dialect {
  const set = banSet("stoplog-probe", "v4", null);
  const options = { table, dialect: "update", now: 0, clock: () => 0 } as const;
  const taken = (change: Enforcement): boolean =>
    session.transact((batch) => new ElementWriter(batch, options).write([{ set, change }])).length === 0;
  const holds = (until: Instant): boolean => {
    if (!taken({ kind: "ban", prefix: PROBED, target: set.target, until })) return false;
    const found = readBan(session, table, set, PROBED)?.until ?? 0;
    // The kernel rounds by some milliseconds.
    return found === until || Math.abs(found - until) < HOUR / 2;
  };
  const unbans = (): boolean =>
    taken({ kind: "unban", prefix: PROBED, target: set.target }) &&
    readBan(session, table, set, PROBED) === null;

  const made = session.transact((batch) => writeBanSet(new TableWriter(batch, table), set, 16));
  if (made.length > 0) return "replace";
  try {
    const updates = holds(2 * HOUR) && holds(3 * HOUR) && holds(HOUR) && holds(FOREVER) && holds(HOUR);
    return updates && unbans() && unbans() ? "update" : "replace";
  } finally {
    session.transact((batch) => new TableWriter(batch, table).deleteSet(set.name));
  }
}

const PROBED = parsePrefix("192.0.2.1") as Prefix;
