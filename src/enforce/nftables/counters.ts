import { StoplogError } from "../../core/errors.ts";
import type { AttributeReader } from "../../kernel/netlink/attribute.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { attributesOf } from "../../kernel/netlink/message.ts";
import type { Session } from "./session.ts";
import {
  NFT_MSG_GETOBJ,
  NFT_OBJECT_COUNTER,
  NFTA_OBJ_DATA,
  NFTA_OBJ_NAME,
  NFTA_OBJ_TABLE,
  NFTA_OBJ_TYPE,
} from "./constants.ts";

/** What a list has stopped since its counter was made. */
export interface Hits {
  readonly packets: number;
  readonly bytes: number;
}

/** All counters of a table, by their names. */
export async function readCounters(session: Session, table: string): Promise<ReadonlyMap<string, Hits>> {
  const counters = new Map<string, Hits>();
  const write = (e: { text(type: number, value: string): void; u32(type: number, value: number): void }) => {
    e.text(NFTA_OBJ_TABLE, table);
    e.u32(NFTA_OBJ_TYPE, NFT_OBJECT_COUNTER);
  };
  const answer = await session.dump({ type: NFT_MSG_GETOBJ, write }, (message) => {
    const { of, name, hits } = readCounter(attributesOf(message));
    if (of === table && hits !== null) counters.set(name, hits);
    return true;
  });
  if (answer.errno !== 0)
    throw new StoplogError(`Cannot read what lists have stopped: ${factOfAnswer(answer)}`);
  return counters;
}

function readCounter(reader: AttributeReader): { of: string; name: string; hits: Hits | null } {
  let [of, name] = ["", ""];
  let hits: Hits | null = null;
  while (reader.next()) {
    if (reader.type === NFTA_OBJ_TABLE) of = reader.text();
    else if (reader.type === NFTA_OBJ_NAME) name = reader.text();
    else if (reader.type === NFTA_OBJ_DATA) hits = readHits(reader.nested());
  }
  return { of, name, hits };
}

/** NFTA_COUNTER_BYTES and NFTA_COUNTER_PACKETS. */
function readHits(reader: AttributeReader): Hits {
  let [bytes, packets] = [0, 0];
  while (reader.next()) {
    if (reader.type === 1) bytes = reader.u64();
    else if (reader.type === 2) packets = reader.u64();
  }
  return { packets, bytes };
}
