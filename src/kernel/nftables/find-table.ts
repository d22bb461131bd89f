import { StoplogError } from "../../core/errors.ts";
import { EPERM } from "../native/system-error.ts";
import type { AttributeReader } from "../netlink/attribute.ts";
import { factOfAnswer } from "../netlink/errors.ts";
import { attributesOf } from "../netlink/message.ts";
import * as nft from "./constants.ts";
import type { Request, Session } from "./session.ts";
import type { NamedObject } from "./table-writer.ts";

/** What exists in the kernel under a table's name. */
export interface FoundTable {
  /** The table's flags; null when there is no table. */
  readonly flags: number | null;
  readonly chains: readonly string[];
  readonly sets: readonly FoundSet[];
  readonly objects: readonly NamedObject[];
}

export interface FoundSet {
  readonly name: string;
  readonly flags: number;
  /** Bytes. */
  readonly keyLength: number;
  /** 0 for no bound. */
  readonly size: number;
}

/** Looks for a table of family inet. Rejects with a StoplogError when the kernel refuses to list it. */
export async function findTable(session: Session, table: string): Promise<FoundTable> {
  let flags: number | null = null;
  const chains: string[] = [];
  const sets: FoundSet[] = [];
  const objects: NamedObject[] = [];
  await list(session, { type: nft.NFT_MSG_GETTABLE }, (reader) => {
    const found = readTable(reader);
    if (found.name === table) flags = found.flags;
  });
  if (flags === null) return { flags, chains, sets, objects };
  await list(session, { type: nft.NFT_MSG_GETCHAIN }, (reader) => {
    const chain = readChain(reader);
    if (chain.table === table) chains.push(chain.name);
  });
  await list(session, { type: nft.NFT_MSG_GETSET }, (reader) => {
    const { table: of, set } = readSet(reader);
    if (of === table) sets.push(set);
  });
  await list(
    session,
    { type: nft.NFT_MSG_GETOBJ, write: (e) => e.text(nft.NFTA_OBJ_TABLE, table) },
    (reader) => {
      const { table: of, object } = readObject(reader);
      if (of === table) objects.push(object);
    },
  );
  return { flags, chains, sets, objects };
}

async function list(
  session: Session,
  request: Request,
  visit: (reader: AttributeReader) => void,
): Promise<void> {
  const answer = await session.dump(request, (message) => {
    visit(attributesOf(message));
    return true;
  });
  if (answer.errno === 0) return;
  if (answer.errno === EPERM) throw new StoplogError("Cannot use nftables: CAP_NET_ADMIN is missing");
  throw new StoplogError(`Cannot use nftables: ${factOfAnswer(answer)}`);
}

function readTable(reader: AttributeReader): { readonly name: string; readonly flags: number } {
  let [name, flags] = ["", 0];
  while (reader.next()) {
    if (reader.type === nft.NFTA_TABLE_NAME) name = reader.text();
    else if (reader.type === nft.NFTA_TABLE_FLAGS) flags = reader.u32();
  }
  return { name, flags };
}

function readChain(reader: AttributeReader): { readonly table: string; readonly name: string } {
  let [table, name] = ["", ""];
  while (reader.next()) {
    if (reader.type === nft.NFTA_CHAIN_TABLE) table = reader.text();
    else if (reader.type === nft.NFTA_CHAIN_NAME) name = reader.text();
  }
  return { table, name };
}

function readSet(reader: AttributeReader): { readonly table: string; readonly set: FoundSet } {
  let [table, name] = ["", ""];
  let [flags, keyLength, size] = [0, 0, 0];
  while (reader.next()) {
    if (reader.type === nft.NFTA_SET_TABLE) table = reader.text();
    else if (reader.type === nft.NFTA_SET_NAME) name = reader.text();
    else if (reader.type === nft.NFTA_SET_FLAGS) flags = reader.u32();
    else if (reader.type === nft.NFTA_SET_KEY_LEN) keyLength = reader.u32();
    else if (reader.type === nft.NFTA_SET_DESC) {
      const description = reader.nested();
      while (description.next()) if (description.type === nft.NFTA_SET_DESC_SIZE) size = description.u32();
    }
  }
  return { table, set: { name, flags, keyLength, size } };
}

function readObject(reader: AttributeReader): { readonly table: string; readonly object: NamedObject } {
  let [table, name, type] = ["", "", 0];
  while (reader.next()) {
    if (reader.type === nft.NFTA_OBJ_TABLE) table = reader.text();
    else if (reader.type === nft.NFTA_OBJ_NAME) name = reader.text();
    else if (reader.type === nft.NFTA_OBJ_TYPE) type = reader.u32();
  }
  return { table, object: { name, type } };
}
