import type { Family } from "../../core/family.ts";
import { StoplogError } from "../../core/errors.ts";
import { factOfAnswer } from "../../kernel/netlink/errors.ts";
import { attributesOf } from "../../kernel/netlink/message.ts";
import type { NftSetName } from "./kind.ts";
import * as nft from "../../kernel/nftables/constants.ts";
import type { Session } from "../../kernel/nftables/session.ts";

/** A set that the administrator made, as the kernel describes it. */
export interface FoundSet {
  readonly name: NftSetName;
  readonly family: Family;
  readonly interval: boolean;
  readonly timeouts: boolean;
}

/** Rejects with a StoplogError when the set does not exist, or is not a set of addresses. */
export async function findSet(session: Session, name: NftSetName): Promise<FoundSet> {
  let found: { readonly flags: number; readonly keyType: number } | null = null;
  const answer = await session.dump({ type: nft.NFT_MSG_GETSET, family: numberOf(name) }, (message) => {
    const reader = attributesOf(message);
    const set = { table: "", name: "", flags: 0, keyType: 0 };
    while (reader.next()) {
      if (reader.type === nft.NFTA_SET_TABLE) set.table = reader.text();
      else if (reader.type === nft.NFTA_SET_NAME) set.name = reader.text();
      else if (reader.type === nft.NFTA_SET_FLAGS) set.flags = reader.u32();
      else if (reader.type === nft.NFTA_SET_KEY_TYPE) set.keyType = reader.u32();
    }
    if (set.table === name.table && set.name === name.set) found = set;
    return true;
  });
  if (answer.errno !== 0) throw new StoplogError(`Cannot use ${labelOf(name)}: ${factOfAnswer(answer)}`);
  return described(name, found);
}

/** `the set inet filter blocked4`. */
export function labelOf({ family, table, set }: NftSetName): string {
  return `the set ${family} ${table} ${set}`;
}

/** The family's number in messages (NFPROTO_… of linux/netfilter.h). */
export function numberOf({ family }: NftSetName): number {
  return NUMBERS[family];
}

const NUMBERS = { inet: 1, ip: 2, netdev: 5, bridge: 7, ip6: 10 } as const;

function described(
  name: NftSetName,
  found: { readonly flags: number; readonly keyType: number } | null,
): FoundSet {
  const fault = (fact: string) => new StoplogError(`Cannot use ${labelOf(name)}: ${fact}`);
  if (found === null) throw fault("it does not exist");
  const { flags, keyType } = found;
  if ((flags & nft.NFT_SET_CONSTANT) !== 0) throw fault("it is constant");
  if ((flags & nft.NFT_SET_MAP) !== 0) throw fault("it is a map");
  if (keyType !== nft.TYPE_IPV4_ADDRESS && keyType !== nft.TYPE_IPV6_ADDRESS)
    throw fault("it is not of type ipv4_addr or ipv6_addr");
  return {
    name,
    family: keyType === nft.TYPE_IPV4_ADDRESS ? "v4" : "v6",
    interval: (flags & nft.NFT_SET_INTERVAL) !== 0,
    timeouts: (flags & nft.NFT_SET_TIMEOUT) !== 0,
  };
}
