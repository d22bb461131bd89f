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
import { GuestSet, NoSet } from "../admin-sets/guest-sets.ts";
import { PlacedBans } from "../admin-sets/placed-bans.ts";
import { findSet, labelOf } from "./find-set.ts";
import { IntervalSet } from "./interval-set.ts";
import { PlainSet } from "./plain-set.ts";
import { watchSets } from "./watch-sets.ts";

export interface NftSetOptions {
  /** Found out by trying unless set. */
  readonly dialect?: Dialect;
}

/**
 * Bans in sets of nftables that the administrator made. Elements end by themselves in a set with time-outs; that the book unbans them as
 * well does no harm, and ends those in a set without.
 */
export class NftSetEnforcer implements Enforcer {
  readonly kind = "nft-set";
  readonly expires = "book";
  readonly #wantedDialect: Dialect | undefined;
  #session: Session | null = null;
  #watch: NoticeReader | null = null;
  #bans = new PlacedBans([]);
  #guests: readonly Guest[] = [];
  #lost = false;

  constructor(options: NftSetOptions = {}) {
    this.#wantedDialect = options.dialect;
  }

  async open(targets: readonly NftSetTarget[], onLost: (fact: string) => void): Promise<void> {
    const fault = nativeFault();
    if (fault !== null) throw cannot("use sets of nftables", fault);
    const first = this.#session === null;
    const session = (this.#session ??= openSession());
    try {
      const before = this.#guests;
      const guests = await this.#guestsOf(session, targets);
      const names = new Set(targets.map(({ name }) => name));
      const refusing = [...names].map((name) => new NoSet(name, placesOf(guests, name)));
      for (const { place } of before) if (!guests.some((one) => one.place === place)) await place.remove();
      this.#guests = guests;
      this.#bans = new PlacedBans([...guests.map(({ place }) => place), ...refusing]);
    } catch (thrown) {
      if (first) this.#letGo();
      throw thrown;
    }
    this.#lost = false;
    this.#watch?.close();
    this.#watch = watchSets({
      names: this.#guests.map(({ name }) => name),
      ownPort: session.socket.port,
      isOurs: (name, address) => this.#guests.some((one) => one.name === name && one.place.begins(address)),
      // Once, until it was put right.
      onLost: (fact) => {
        if (this.#lost) return;
        this.#lost = true;
        onLost(fact);
      },
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

  async close({ flush }: { readonly flush: boolean }): Promise<void> {
    try {
      if (flush) for (const { place } of this.#guests) await place.remove();
    } finally {
      this.#letGo();
    }
  }

  /** What of the elements is ours is known only to the places that put them there, so those are kept. */
  async #guestsOf(session: Session, targets: readonly NftSetTarget[]): Promise<readonly Guest[]> {
    refuseShared(targets);
    const dialect = this.#wantedDialect ?? probe(session);
    const access = { session, dialect, changed: () => this.#watch?.catchUp() };
    const guests: Guest[] = [];
    for (const { name: target, sets } of targets) {
      const found = [];
      for (const name of sets) found.push(await findSet(session, name));
      for (const set of found) {
        const kept = this.#guests.find(
          ({ name, place }) => place.target === target && labelOf(name) === labelOf(set.name),
        );
        // Where there is a set for single addresses, the one with intervals is for networks only: it costs more with each element.
        const networksOnly =
          set.interval && found.some((other) => !other.interval && other.family === set.family);
        const host = set.interval ? new IntervalSet(set, access) : new PlainSet(set, access);
        if (kept === undefined || kept.interval !== set.interval) {
          guests.push({
            name: set.name,
            interval: set.interval,
            place: new GuestSet(target, host, networksOnly),
          });
        } else guests.push({ ...kept, name: set.name });
      }
    }
    return guests;
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
    this.#guests = [];
    this.#bans = new PlacedBans([]);
  }
}

interface Guest {
  readonly name: NftSetName;
  readonly interval: boolean;
  readonly place: GuestSet;
}

function placesOf(guests: readonly Guest[], target: string): readonly GuestSet[] {
  return guests.map(({ place }) => place).filter((place) => place.target === target);
}

/** In a table that is there for a moment, since none of the administrator's is for trying. */
function probe(session: Session): Dialect {
  const table = `stoplog-probe-${process.pid}`;
  if (session.transact((batch) => new TableWriter(batch, table).table(0)).length > 0) return "replace";
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
    throw new StoplogError(`Cannot use ${twice}: it is named twice, so what one unbans the other would miss`);
}
