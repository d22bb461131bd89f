import { StoplogError } from "../../core/errors.ts";
import { ENOENT, EPERM } from "../native/system-error.ts";
import type { Batch } from "../netlink/batch.ts";
import { factOfAnswer } from "../netlink/errors.ts";
import {
  NFT_SET_ANONYMOUS,
  NFT_TABLE_F_DORMANT,
  NFT_TABLE_F_OWNER,
  NFT_TABLE_F_PERSIST,
} from "./constants.ts";
import { type Hits, readCounters } from "./counters.ts";
import { findTable, type FoundTable } from "./find-table.ts";
import { checkName } from "./name.ts";
import { type NoticeReader, readNotices, tableLoss } from "./notices.ts";
import { type Failure, openSession, type Session } from "./session.ts";
import { TableWriter } from "./table-writer.ts";

export interface OwnTableOptions {
  /** In family inet. */
  readonly name: string;
  /** Whether only our socket may change the table, where the kernel supports it (6.9 and later). */
  readonly owner: boolean;
}

/** What a table shall contain. */
export interface Contents {
  /** Names of the sets and objects that stay as they are; others are deleted, and so is every chain. */
  readonly sets: ReadonlySet<string>;
  readonly objects: ReadonlySet<string>;
  /** Writes everything else. */
  readonly write: (writer: TableWriter) => void;
}

/**
 * A table of our own in nftables:
 *
 *      open ─► create ─► adopt (or make) the table ─► one transaction: old chains out, new contents in
 *                 ▲                                          │
 *                 └── reload ◄── onLost ◄── notices ◄────────┘ unless the kernel keeps others out
 *
 * What an earlier run left in the table is in force until the transaction succeeds. The table stays when the process ends.
 */
export class OwnTable {
  readonly name: string;
  readonly #owner: boolean;
  #session: Session | null = null;
  #notices: NoticeReader | null = null;
  #onLost: (fact: string) => void = () => {};
  #lost = false;

  constructor({ name, owner }: OwnTableOptions) {
    checkName(name, "a table");
    this.name = name;
    this.#owner = owner;
  }

  /** Deletes the table that an earlier run left, if there is one and no other process owns it. */
  static async discard(name: string): Promise<void> {
    const session = openSession();
    try {
      const { flags } = await findTable(session, name);
      if (flags !== null) session.transact((batch) => new TableWriter(batch, name).deleteTable());
    } finally {
      session.closeAside();
    }
  }

  get isOpen(): boolean {
    return this.#session !== null;
  }

  get session(): Session {
    if (this.#session === null)
      throw new StoplogError(`Cannot use the table inet ${this.name}: nftables is not open`);
    return this.#session;
  }

  /**
   * Opens the table. `make` calls `create`. When it rejects the first time, the socket is closed again; later, what is in the
   * kernel stays. `onLost` is called once when another program deleted a part of the table, and again after `rearm`.
   */
  async open(onLost: (fact: string) => void, make: () => Promise<void>): Promise<void> {
    const isFirst = this.#session === null;
    this.#session ??= openSession();
    this.#onLost = onLost;
    try {
      await make();
    } catch (thrown) {
      if (isFirst) this.#letGo();
      throw thrown;
    }
  }

  /** Gives the table new contents in one transaction. `plan` gets what is in the table now. */
  async create(plan: (found: FoundTable) => Contents): Promise<void> {
    const found = await findTable(this.session, this.name);
    const owned = this.#adopt(found.flags);
    // Before the transaction: what others change after it is noticed.
    this.#watch(owned);
    const { sets, objects, write } = plan(found);
    const failures = this.transact((writer) => {
      for (const chain of found.chains) writer.flushChain(chain);
      for (const chain of found.chains) writer.deleteChain(chain);
      for (const { name, flags } of found.sets) {
        // An anonymous set went with its rule.
        if (!sets.has(name) && (flags & NFT_SET_ANONYMOUS) === 0) writer.deleteSet(name);
      }
      for (const object of found.objects) if (!objects.has(object.name)) writer.deleteObject(object);
      write(writer);
    });
    if (failures.length > 0) throw this.#refusal(failures);
    // A change by others from now on is a loss again, also while the sets are filled.
    this.#lost = false;
  }

  /** One transaction; answers what was refused, or an empty list when all of it holds. */
  transact(write: (writer: TableWriter, batch: Batch) => void): readonly Failure[] {
    return this.session.transact((batch) => write(new TableWriter(batch, this.name), batch));
  }

  counters(): Promise<ReadonlyMap<string, Hits>> {
    return readCounters(this.session, this.name);
  }

  /** The fact of a refusal. ENOENT says that a part of the table does not exist any more, which is reported as a loss too. */
  factOf(failure: Failure): string {
    return failure.errno === ENOENT ? this.reportGone() : factOfAnswer(failure);
  }

  reportGone(): string {
    const fact = `the table inet ${this.name} or a part of it is gone`;
    this.#reportLoss(fact);
    return fact;
  }

  /** Closes the socket. With `flush` the table is deleted, else its contents stay in force. */
  close({ flush }: { readonly flush: boolean }): void {
    try {
      if (flush && this.isOpen) this.transact((writer) => writer.deleteTable());
    } finally {
      this.#letGo();
    }
  }

  /**
   * Makes the table, or takes over the one with these flags (null for none). Answers whether we own it now. A transaction of its
   * own: the kernel takes no base chain in one that changes a table's owner.
   */
  #adopt(flags: number | null): boolean {
    let failures: readonly Failure[] = [];
    for (const desired of flagsToTry(flags, this.#owner)) {
      failures = this.transact((writer) => writer.table(desired));
      if (failures.length === 0) return desired !== null && (desired & NFT_TABLE_F_OWNER) !== 0;
    }
    throw this.#refusal(failures);
  }

  #watch(owned: boolean): void {
    if (owned) {
      // No other program can change the table now.
      this.#notices?.close();
      this.#notices = null;
    } else {
      this.#notices ??= readNotices({
        ownPort: this.session.socket.port,
        lossIn: (message) => tableLoss(message, this.name),
        onLost: (fact) => this.#reportLoss(fact),
      });
    }
  }

  #reportLoss(fact: string): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#onLost(fact);
  }

  #refusal(failures: readonly Failure[]): StoplogError {
    const first = failures[0]!;
    // EPERM has one meaning here: without CAP_NET_ADMIN the kernel would already have refused to list the tables.
    const fact =
      first.errno === EPERM ? `another program owns the table inet ${this.name}` : factOfAnswer(first);
    return new StoplogError(`Cannot use nftables: ${fact}`);
  }

  #letGo(): void {
    this.#notices?.close();
    this.#notices = null;
    this.#session?.close();
    this.#session = null;
  }
}

/** A table keeps its flags, but does not stay dormant, unless its owner is gone: then PERSIST is set and OWNER can be taken. */
function flagsToTry(flags: number | null, owner: boolean): readonly (number | null)[] {
  const owned = NFT_TABLE_F_OWNER | NFT_TABLE_F_PERSIST;
  if (flags === null) return owner ? [owned, null] : [null];
  const awake = flags & ~NFT_TABLE_F_DORMANT;
  if ((flags & NFT_TABLE_F_PERSIST) === 0) return [flags === 0 ? null : awake & ~NFT_TABLE_F_OWNER];
  return owner ? [owned] : [owned, awake];
}
