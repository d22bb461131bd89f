import { addressToBytes } from "../../core/address.ts";
import { addressBits, type Prefix } from "../../core/prefix.ts";
import type { Instant } from "../../core/time.ts";
import type { Batch } from "../../kernel/netlink/batch.ts";
import { NLM_F_CREATE, NLM_F_EXCL } from "../../kernel/netlink/message.ts";
import * as nft from "../../kernel/nftables/constants.ts";
import type { Dialect } from "../nftables/element-writer.ts";
import type { Failure } from "../../kernel/nftables/session.ts";
import { writeElement } from "../../kernel/nftables/set-element.ts";
import type { ElementChange } from "../admin-sets/admin-set.ts";
import { timeoutFor } from "../ruleset/standing-sets.ts";
import { type FoundSet, numberOf } from "./find-set.ts";

export interface Writing {
  readonly set: FoundSet;
  readonly dialect: Dialect;
  readonly now: Instant;
}

/** Writes changes into a batch; neighbours of a kind share a message. The answer finds the change of a failure, or -1. */
export function writeElements(
  batch: Batch,
  changes: readonly ElementChange[],
  writing: Writing,
): (failure: Failure) => number {
  const runs: { readonly message: number; readonly from: number; readonly offsets: readonly number[] }[] = [];
  for (let from = 0, to = 0; from < changes.length; from = to) {
    const { kind } = changes[from] as ElementChange;
    to = from + 1;
    while (to < changes.length && changes[to]?.kind === kind && to - from < IN_A_MESSAGE) to++;
    const run = changes.slice(from, to);
    for (const step of stepsOf(kind, writing)) {
      runs.push({ message: batch.count, from, offsets: writeMessage(batch, run, step, writing) });
    }
  }
  return (failure) => {
    const run = runs.find(({ message }) => message === failure.message);
    if (run === undefined || failure.offset < 0) return -1;
    const behind = run.offsets.findIndex((offset) => offset > failure.offset);
    const within = behind < 0 ? run.offsets.length - 1 : behind - 1;
    return within < 0 ? -1 : run.from + within;
  };
}

/** The first address behind a network; null behind the last address of all. */
export function keyBehind({ address, length }: Prefix): Uint8Array | null {
  const bytes = addressToBytes(address);
  const bits = addressBits(address);
  let carry = 2 ** ((bits - length) % 8);
  for (let i = bytes.length - 1 - Math.floor((bits - length) / 8); i >= 0 && carry > 0; i--) {
    const sum = (bytes[i] ?? 0) + carry;
    bytes[i] = sum & 0xff;
    carry = sum >> 8;
  }
  return carry > 0 ? null : bytes;
}

/** An IPv6 interval takes 72 bytes, and the list in a message must stay below 64 KiB. */
const IN_A_MESSAGE = 500;

interface Step {
  readonly type: number;
  readonly flags: number;
  /** The timeout of an element: left out, permanent, or the time left. */
  readonly timeout: "unsaid" | "none" | "left";
}

/**
 * See `Dialect`: on older kernels an element is added, deleted, and added with its new end, in one transaction. An interval is permanent
 * there, and the book unbans it.
 */
function stepsOf(kind: ElementChange["kind"], { dialect, set }: Writing): readonly Step[] {
  const add = (timed: boolean, flags = 0): Step => ({
    type: nft.NFT_MSG_NEWSETELEM,
    flags: NLM_F_CREATE | flags,
    timeout: !set.timeouts || !timed ? "unsaid" : dialect === "replace" && set.interval ? "none" : "left",
  });
  const take: Step = { type: nft.NFT_MSG_DELSETELEM, flags: 0, timeout: "unsaid" };
  if (kind === "new") return [add(true, NLM_F_EXCL)];
  if (dialect === "update")
    return kind === "add" ? [add(true)] : [{ ...take, type: nft.NFT_MSG_DESTROYSETELEM }];
  if (set.interval) return kind === "add" ? [add(true)] : [take];
  if (kind === "delete") return [add(false), take];
  return set.timeouts ? [add(false), take, add(true)] : [add(true)];
}

function writeMessage(
  batch: Batch,
  run: readonly ElementChange[],
  { type, flags, timeout }: Step,
  { set, now }: Writing,
): readonly number[] {
  const e = batch.encoder;
  const at = batch.begin(type, flags, numberOf(set.name));
  e.text(nft.NFTA_SET_ELEM_LIST_TABLE, set.name.table);
  e.text(nft.NFTA_SET_ELEM_LIST_SET, set.name.set);
  const list = e.begin(nft.NFTA_SET_ELEM_LIST_ELEMENTS);
  const offsets = run.map((change) => {
    const offset = e.length - at;
    const left = change.kind === "delete" || timeout === "none" ? 0 : (timeoutFor(change.until, now) ?? 0);
    writeElement(e, addressToBytes(change.prefix.address), { timeout: timeout === "unsaid" ? null : left });
    const end = set.interval ? keyBehind(change.prefix) : null;
    if (end !== null) writeElement(e, end, { flags: nft.NFT_SET_ELEM_INTERVAL_END });
    return offset;
  });
  e.end(list);
  batch.end(at);
  return offsets;
}
