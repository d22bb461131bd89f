import { cannot } from "../../core/errors.ts";
import type { AttributeReader } from "../netlink/attribute.ts";
import { factOfAnswer } from "../netlink/errors.ts";
import { attributesOf } from "../netlink/message.ts";
import * as nft from "./constants.ts";
import type { Request, Session } from "./session.ts";

/** What a named counter has counted since it was made. */
export interface Hits {
  readonly packets: number;
  readonly bytes: number;
}

/** The named counters of a table. */
export async function readCounters(session: Session, table: string): Promise<ReadonlyMap<string, Hits>> {
  const counters = new Map<string, Hits>();
  const request: Request = {
    type: nft.NFT_MSG_GETOBJ,
    write: (e) => {
      e.text(nft.NFTA_OBJ_TABLE, table);
      e.u32(nft.NFTA_OBJ_TYPE, nft.NFT_OBJECT_COUNTER);
    },
  };
  const answer = await session.dump(request, (message) => {
    const { of, name, hits } = readCounter(attributesOf(message));
    if (of === table && hits !== null) counters.set(name, hits);
    return true;
  });
  if (answer.errno !== 0) throw cannot(`read the counters of the table inet ${table}`, factOfAnswer(answer));
  return counters;
}

function readCounter(reader: AttributeReader): { of: string; name: string; hits: Hits | null } {
  let [of, name] = ["", ""];
  let hits: Hits | null = null;
  while (reader.next()) {
    if (reader.type === nft.NFTA_OBJ_TABLE) of = reader.text();
    else if (reader.type === nft.NFTA_OBJ_NAME) name = reader.text();
    else if (reader.type === nft.NFTA_OBJ_DATA) hits = readHits(reader.nested());
  }
  return { of, name, hits };
}

function readHits(reader: AttributeReader): Hits {
  let [bytes, packets] = [0, 0];
  while (reader.next()) {
    if (reader.type === nft.NFTA_COUNTER_BYTES) bytes = reader.u64();
    else if (reader.type === nft.NFTA_COUNTER_PACKETS) packets = reader.u64();
  }
  return { packets, bytes };
}
