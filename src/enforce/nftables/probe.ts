import { parseAddress, type Address } from "../../core/address.ts";
import { hostPrefix } from "../../core/prefix.ts";
import { FOREVER, HOUR, type Instant } from "../../core/time.ts";
import { banSet } from "../ruleset/names.ts";
import * as nft from "./constants.ts";
import { type Dialect, ElementWriter } from "./elements.ts";
import { TableWriter } from "./messages.ts";
import { elementRequest, elementsIn } from "./read.ts";
import type { Session } from "./session.ts";

/**
 * Which dialect this kernel understands, found out by trying in a set of our own table that no rule asks: the end of
 * an element must change when it is added again, to a later one, an earlier one, none and back, and what is not there
 * must be deleted without complaint. Version strings would not tell: distributions carry changes back.
 */
export function probeDialect(session: Session, table: string): Dialect {
  const set = banSet("stoplog-probe", "v4", null);
  const options = { table, dialect: "update", now: 0, clock: () => 0 } as const;
  const holds = (until: Instant): boolean =>
    session.transact((batch) =>
      new ElementWriter(batch, options).write([
        { set, change: { kind: "ban", prefix: hostPrefix(PROBED), target: set.target, until } },
      ]),
    ).length === 0 && endOf(session, table) === until;
  const lifts = (): boolean =>
    session.transact((batch) =>
      new ElementWriter(batch, options).write([
        { set, change: { kind: "lift", prefix: hostPrefix(PROBED), target: set.target } },
      ]),
    ).length === 0;

  if (session.transact((batch) => new TableWriter(batch, table).banSet(set, 16)).length > 0) return "replace";
  try {
    const updates = holds(2 * HOUR) && holds(3 * HOUR) && holds(HOUR) && holds(FOREVER) && holds(HOUR);
    return updates && lifts() && lifts() ? "update" : "replace";
  } finally {
    session.transact((batch) => new TableWriter(batch, table).deleteSet(set.name));
  }

  /** The end of the probed element, told to the hour; -1 when it is not there. */
  function endOf(from: Session, of: string): Instant {
    let until = -1;
    const { type, write } = elementRequest(of, set.name);
    from.ask(
      {
        type,
        write: (e) => {
          write?.(e);
          e.nested(nft.NFTA_SET_ELEM_LIST_ELEMENTS, () => {
            e.nested(nft.NFTA_LIST_ELEM, () => {
              e.nested(nft.NFTA_SET_ELEM_KEY, () => e.words(nft.NFTA_DATA_VALUE, PROBED.w3));
            });
          });
        },
      },
      (message) => {
        for (const element of elementsIn(message, set, 0)) {
          until = element.until === FOREVER ? FOREVER : Math.round(element.until / HOUR) * HOUR;
        }
      },
    );
    return until;
  }
}

const PROBED = parseAddress("192.0.2.1") as Address;
