import { StoplogError } from "../../core/errors.ts";
import type { AttributeReader } from "../../kernel/netlink/attribute.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { attributesOf, type Message } from "../../kernel/netlink/message.ts";
import * as nft from "../../kernel/nftables/constants.ts";
import type { Request, Session } from "../../kernel/nftables/session.ts";
import { labelOf, numberOf } from "./find-set.ts";
import type { NftSetName } from "./kind.ts";

/**
 * Sets whose bans stop no packet, as sentences: their table is dormant, or no rule looks them up. Null when the rules changed during the look. Rules
 * can look up only sets of their own table.
 */
export async function voidSets(
  session: Session,
  names: readonly NftSetName[],
): Promise<readonly string[] | null> {
  const sentences: string[] = [];
  const tables = new Map(names.map((name) => [`${name.family} ${name.table}`, name]));
  for (const [label, one] of tables) {
    const sets = names.filter(({ family, table }) => family === one.family && table === one.table);
    const isDormant = await findDormant(session, one);
    const used = await usedSets(session, one);
    if (isDormant === null || used === null) return null;
    if (isDormant) sentences.push(`The table ${label} is dormant: bans in its sets stop no packet`);
    const unused = isDormant ? [] : sets.filter(({ set }) => !used.has(set));
    for (const name of unused) sentences.push(`No rule looks up ${labelOf(name)}: bans in it stop no packet`);
  }
  return sentences;
}

async function findDormant(session: Session, name: NftSetName): Promise<boolean | null> {
  let flags = 0;
  const isWhole = await list(session, { type: nft.NFT_MSG_GETTABLE, family: numberOf(name) }, (message) => {
    let [table, found] = ["", 0];
    const reader = attributesOf(message);
    while (reader.next()) {
      if (reader.type === nft.NFTA_TABLE_NAME) table = reader.text();
      else if (reader.type === nft.NFTA_TABLE_FLAGS) found = reader.u32();
    }
    if (table === name.table) flags = found;
  });
  return isWhole ? (flags & nft.NFT_TABLE_F_DORMANT) !== 0 : null;
}

/** The names of the sets that rules of the table look up. */
async function usedSets(session: Session, name: NftSetName): Promise<ReadonlySet<string> | null> {
  const used = new Set<string>();
  const request: Request = {
    type: nft.NFT_MSG_GETRULE,
    family: numberOf(name),
    write: (e) => e.text(nft.NFTA_RULE_TABLE, name.table),
  };
  const isWhole = await list(session, request, (message) => {
    let table = "";
    const reader = attributesOf(message);
    while (reader.next()) {
      if (reader.type === nft.NFTA_RULE_TABLE) table = reader.text();
      else if (reader.type === nft.NFTA_RULE_EXPRESSIONS && table === name.table)
        for (const set of setsIn(reader.nested())) used.add(set);
    }
  });
  return isWhole ? used : null;
}

/** False when something changed meanwhile. */
async function list(session: Session, request: Request, visit: (message: Message) => void): Promise<boolean> {
  const answer = await session.dump(request, (message) => {
    visit(message);
    return true;
  });
  if (answer.errno !== 0) throw new StoplogError(`Cannot list rules of nftables: ${factOfAnswer(answer)}`);
  return !answer.interrupted;
}

/** The sets that a rule's expressions look up. */
function* setsIn(expressions: AttributeReader): Generator<string> {
  while (expressions.next()) {
    const expression = expressions.nested();
    let kind = "";
    while (expression.next()) {
      if (expression.type === nft.NFTA_EXPR_NAME) kind = expression.text();
      else if (expression.type === nft.NFTA_EXPR_DATA && kind === "lookup") yield setOf(expression.nested());
    }
  }
}

function setOf(lookup: AttributeReader): string {
  while (lookup.next()) if (lookup.type === nft.NFTA_LOOKUP_SET) return lookup.text();
  return "";
}
