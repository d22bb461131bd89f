import type { Instant } from "../../core/time.ts";
import type { Batch } from "../../kernel/netlink/batch.ts";
import { NLM_F_CREATE } from "../../kernel/netlink/message.ts";
import * as nft from "../../kernel/nftables/constants.ts";
import type { Failure } from "../../kernel/nftables/session.ts";
import { ELEMENTS_A_MESSAGE } from "../../kernel/nftables/table-writer.ts";
import { type ElementChange, isUnban, timeoutFor } from "../ruleset/standing-sets.ts";

/**
 * What the kernel understands.
 * - "update": adding an element again sets its new end, and DESTROYSETELEM deletes an element that may not exist (Linux 6.12).
 * - "replace": adding again leaves the old end, and deleting an element that does not exist fails. So an element is always added,
 *   then deleted, then added with the new end, in one transaction.
 */
export type Dialect = "update" | "replace";

export interface WriteOptions {
  readonly table: string;
  readonly dialect: Dialect;
  /** Bans that end before this are unbans. */
  readonly now: Instant;
  /** The time at which an element is written: the kernel gets what is left of the ban. */
  readonly clock: () => Instant;
}

/**
 * Writes changes to sets of bans into a batch, in their order. Neighbours of the same kind and set share a message. Remembers the
 * offset of each change, to find the one that the kernel refuses.
 */
export class ElementWriter {
  readonly #batch: Batch;
  readonly #table: string;
  readonly #dialect: Dialect;
  readonly #now: Instant;
  readonly #clock: () => Instant;
  readonly #runs: Run[] = [];

  constructor(batch: Batch, options: WriteOptions) {
    this.#batch = batch;
    this.#table = options.table;
    this.#dialect = options.dialect;
    this.#now = options.now;
    this.#clock = options.clock;
  }

  write(changes: readonly ElementChange[]): void {
    let from = 0;
    while (from < changes.length) {
      const { set, change } = changes[from]!;
      const unbans = isUnban(change, this.#now);
      let to = from + 1;
      while (to < changes.length && to - from < ELEMENTS_A_MESSAGE) {
        const next = changes[to]!;
        if (next.set !== set || isUnban(next.change, this.#now) !== unbans) break;
        to++;
      }
      this.#writeRun(changes, from, to, unbans);
      from = to;
    }
  }

  /** The index of the change that was refused; -1 when the refusal is about the set or the table. */
  changeOf(failure: Failure): number {
    const run = this.#runs.find(({ message }) => message === failure.message);
    if (run === undefined || failure.offset < run.offsets[0]!) return -1;
    let i = run.offsets.length - 1;
    while (i > 0 && run.offsets[i]! > failure.offset) i--;
    return run.from + i;
  }

  #writeRun(changes: readonly ElementChange[], from: number, to: number, unbans: boolean): void {
    const message = (type: number, timed: boolean) => this.#message(changes, { from, to, type, timed });
    if (this.#dialect === "update") {
      if (unbans) message(nft.NFT_MSG_DESTROYSETELEM, false);
      else message(nft.NFT_MSG_NEWSETELEM, true);
      return;
    }
    message(nft.NFT_MSG_NEWSETELEM, false);
    message(nft.NFT_MSG_DELSETELEM, false);
    if (!unbans) message(nft.NFT_MSG_NEWSETELEM, true);
  }

  #message(changes: readonly ElementChange[], { from, to, type, timed }: MessageOf): void {
    const e = this.#batch.encoder;
    const message = this.#batch.count;
    const offsets = new Array<number>(to - from);
    const at = this.#batch.begin(type, type === nft.NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0, nft.NFPROTO_INET);
    const { set } = changes[from]!;
    const now = this.#clock();
    e.text(nft.NFTA_SET_ELEM_LIST_TABLE, this.#table);
    e.text(nft.NFTA_SET_ELEM_LIST_SET, set.name);
    const list = e.begin(nft.NFTA_SET_ELEM_LIST_ELEMENTS);
    for (let i = from; i < to; i++) {
      const { change } = changes[i]!;
      const { w0, w1, w2, w3 } = change.prefix.address;
      offsets[i - from] = e.length - at;
      const element = e.begin(nft.NFTA_LIST_ELEM);
      const key = e.begin(nft.NFTA_SET_ELEM_KEY);
      if (set.family === "v4") e.words(nft.NFTA_DATA_VALUE, w3);
      else e.words(nft.NFTA_DATA_VALUE, w0, w1, w2, w3);
      e.end(key);
      if (timed && change.kind === "ban") {
        // 0 is written explicitly: without a timeout, an update would leave the old end.
        e.u64(nft.NFTA_SET_ELEM_TIMEOUT, timeoutFor(change.until, now) ?? 0);
      }
      e.end(element);
    }
    e.end(list);
    this.#batch.end(at);
    this.#runs.push({ message, from, offsets });
  }
}

interface MessageOf {
  readonly from: number;
  readonly to: number;
  readonly type: number;
  /** Whether elements carry their timeout. */
  readonly timed: boolean;
}

/** The changes of one message, and the offset of each in it. */
interface Run {
  readonly message: number;
  readonly from: number;
  readonly offsets: readonly number[];
}
