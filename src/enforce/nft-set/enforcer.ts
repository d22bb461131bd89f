import { cannot, StoplogError } from "../../core/errors.ts";
import type { Instant } from "../../core/time.ts";
import { nativeFault } from "../../kernel/native/libc.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "../enforcer.ts";
import type { NftSetName, NftSetTarget } from "./kind.ts";
import type { Dialect } from "../nftables/element-writer.ts";
import { TableWriter } from "../../kernel/nftables/table-writer.ts";
import { probeDialect } from "../nftables/probe.ts";
import type { NoticeReader } from "../../kernel/nftables/notices.ts";
import { openSession, type Session } from "../../kernel/nftables/session.ts";
import { AdminSet, RefusingPlace } from "../admin-sets/admin-set.ts";
import { PlacedBans } from "../admin-sets/placed-bans.ts";
import { findSet, type FoundSet, labelOf } from "./find-set.ts";
import { IntervalSet } from "./interval-set.ts";
import { PlainSet } from "./plain-set.ts";
import { voidSets } from "./void-sets.ts";
import { watchSets } from "./watch-sets.ts";

export interface NftSetOptions {
  /** Found by trying unless set. */
  readonly dialect?: Dialect;
}

/**
 * Bans in nftables sets that the administrator made. In a set with timeouts the kernel removes expired elements; the book's unban then
 * changes nothing. In a set without timeouts it removes the element.
 */
export class NftSetEnforcer implements Enforcer {
  readonly kind = "nft-set";
  readonly expires = "book";
  readonly #wantedDialect: Dialect | undefined;
  #session: Session | null = null;
  #watch: NoticeReader | null = null;
  #bans = new PlacedBans([]);
  #sets: readonly OpenSet[] = [];
  #lost = false;
  /** Whether rules changed since the last look at them. */
  #rulesChanged = true;
  #obstacles: readonly string[] = [];

  constructor(options: NftSetOptions = {}) {
    this.#wantedDialect = options.dialect;
  }

  async open(targets: readonly NftSetTarget[], onLost: (fact: string) => void): Promise<void> {
    const fault = nativeFault();
    if (fault !== null) throw cannot("use sets of nftables", fault);
    const first = this.#session === null;
    const session = (this.#session ??= openSession());
    try {
      const before = this.#sets;
      const opened = await this.#openSets(session, targets);
      const names = new Set(targets.map(({ name }) => name));
      const refusing = [...names].map((name) => new RefusingPlace(name, placesOf(opened, name)));
      for (const { place } of before) if (!opened.some((one) => one.place === place)) await place.remove();
      this.#sets = opened;
      this.#bans = new PlacedBans([...opened.map(({ place }) => place), ...refusing]);
    } catch (thrown) {
      if (first) this.#letGo();
      throw thrown;
    }
    this.#lost = false;
    this.#rulesChanged = true;
    this.#watch?.close();
    this.#watch = watchSets({
      names: this.#sets.map(({ name }) => name),
      ownPort: session.socket.port,
      isOurs: (name, address) => this.#sets.some((one) => one.name === name && one.place.begins(address)),
      // Reported once, until it was repaired.
      onLost: (fact) => {
        if (this.#lost) return;
        this.#lost = true;
        onLost(fact);
      },
      onRules: () => (this.#rulesChanged = true),
    });
  }

  async apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]> {
    return this.#opened().apply(changes, now);
  }

  async replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]> {
    const refusals = await this.#opened().replace(bans, now);
    this.#lost = false;
    return refusals;
  }

  async list(): Promise<readonly Enforced[]> {
    return this.#opened().list(Date.now());
  }

  /** The kernel reports what is missing. Looks whether rules still use the sets, but only where a rule has changed. */
  async missing(): Promise<null> {
    if (!this.#rulesChanged || this.#session === null) return null;
    this.#rulesChanged = false;
    const names = this.#sets.map(({ name }) => name);
    const found = await voidSets(this.#session, names);
    if (found === null) this.#rulesChanged = true;
    else this.#obstacles = found;
    return null;
  }

  obstacles(): readonly string[] {
    return this.#obstacles;
  }

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    try {
      if (flush) for (const { place } of this.#sets) await place.remove();
    } finally {
      this.#letGo();
    }
  }

  /**
   * Only the places that added elements know which are ours, so existing places are kept. A set that was made again as another kind has none of
   * ours.
   */
  async #openSets(session: Session, targets: readonly NftSetTarget[]): Promise<readonly OpenSet[]> {
    refuseShared(targets);
    const dialect = this.#wantedDialect ?? probe(session);
    const access = { session, dialect, changed: () => this.#watch?.catchUp() };
    const opened: OpenSet[] = [];
    for (const { name: target, sets } of targets) {
      const found = [];
      for (const name of sets) found.push(await findSet(session, name));
      for (const set of found) {
        const kept = this.#sets.find(
          ({ name, place }) => place.target === target && labelOf(name) === labelOf(set.name),
        );
        // Beside a set of single addresses, a set of intervals holds networks only: its cost grows with each element.
        const networksOnly =
          set.interval && found.some((other) => !other.interval && other.family === set.family);
        const host = set.interval ? new IntervalSet(set, access) : new PlainSet(set, access);
        if (kept !== undefined && isSameKind(kept.set, set)) opened.push({ ...kept, name: set.name, set });
        else opened.push({ name: set.name, set, place: new AdminSet(target, host, networksOnly) });
      }
    }
    return opened;
  }

  #opened(): PlacedBans {
    if (this.#session === null) throw new StoplogError("Cannot change bans: nft-set is not open");
    return this.#bans;
  }

  #letGo(): void {
    this.#watch?.close();
    this.#watch = null;
    this.#session?.close();
    this.#session = null;
    this.#sets = [];
    this.#bans = new PlacedBans([]);
  }
}

interface OpenSet {
  readonly name: NftSetName;
  readonly set: FoundSet;
  readonly place: AdminSet;
}

function isSameKind(a: FoundSet, b: FoundSet): boolean {
  return a.family === b.family && a.interval === b.interval && a.timeouts === b.timeouts;
}

function placesOf(opened: readonly OpenSet[], target: string): readonly AdminSet[] {
  return opened.map(({ place }) => place).filter((place) => place.target === target);
}

/** Tries it in a temporary table, since the administrator's must not be used for that. */
function probe(session: Session): Dialect {
  const table = `stoplog-probe-${process.pid}`;
  if (session.transact((batch) => new TableWriter(batch, table).table(null)).length > 0) return "replace";
  try {
    return probeDialect(session, table);
  } finally {
    session.transact((batch) => new TableWriter(batch, table).deleteTable());
  }
}

function refuseShared(targets: readonly NftSetTarget[]): void {
  const names = targets.flatMap(({ sets }) => sets.map(labelOf));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new StoplogError(
      `Cannot use ${twice}: it is named twice, and one would remove the bans of the other`,
    );
}
