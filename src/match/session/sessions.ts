import type { Address } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Duration, Instant } from "../../core/time.ts";
import { hashSession, hashUser, type SessionKey } from "./session-key.ts";
import { SessionState, SessionTable } from "./session-table.ts";

/** What a line says in its session. The same object serves every line. */
export interface SessionLine {
  id: string;
  /** The place of its filter. */
  filter: number;
  at: Instant;
  /** How long after its last line a session ends. */
  age: Duration;
  /** Null when the line names none. */
  address: Address | null;
  /** Whether the line names a host, which may be a name. */
  hasHost: boolean;
  user: string;
  /** It tells of the session and is not a failure. */
  isNote: boolean;
  /** The log-in succeeded. */
  isGained: boolean;
  /** The session begins. */
  isBegin: boolean;
  /** The session ends. */
  isEnd: boolean;
}

/**
 * Joins the lines of a session, as fail2ban does:
 *
 *      note, with address       remembers the address
 *      failure, with address    counts; the address is remembered
 *      failure, without one     counts for the remembered address; without any it is pending, and the next line with an address counts
 *      gained                   clears a pending failure; counts only when several users were tried
 *      begin                    forgets an earlier session with the same id
 *      end                      forgets the session after this line
 */
export class Sessions {
  readonly table: SessionTable;
  readonly #key: SessionKey = { w0: 0, w1: 0, w2: 0, w3: 0 };
  readonly #logs = new WeakMap<object, number>();
  #logCount = 0;
  #log = 0;
  /** The remembered address that the last line counts for; null when the line's own host counts. */
  remembered: Address | null = null;

  constructor(capacity: number = LIMITS.lineSessions.value) {
    this.table = new SessionTable(capacity);
  }

  /** Sets the log of the next lines: sessions of different logs are different. */
  enter(log: object | undefined): void {
    if (log === undefined) this.#log = 0;
    else {
      this.#log = this.#logs.get(log) ?? ++this.#logCount;
      this.#logs.set(log, this.#log);
    }
  }

  /** Takes a line; whether it counts, for its own host or `remembered`. */
  counts(line: SessionLine): boolean {
    const { table } = this;
    const slot = this.#sessionOf(line);
    this.remembered = null;
    let isNote = line.isNote || line.isGained;
    if (slot >= 0) {
      if (line.user !== "") table.noteUser(slot, hashUser(line.user));
      if (line.isGained) table.set(slot, SessionState.isPending, false);
      if (line.address !== null) table.setHost(slot, line.address);
      else this.remembered = table.hostOf(slot);
      if (table.has(slot, SessionState.isPending) || table.has(slot, SessionState.severalUsers))
        isNote = false;
      table.set(slot, SessionState.isPending, false);
    }
    const isHostKnown = line.hasHost || this.remembered !== null;
    if (slot >= 0 && !isNote && !isHostKnown) table.set(slot, SessionState.isPending, true);
    if (slot >= 0 && line.isEnd) table.remove(slot);
    return !isNote && isHostKnown;
  }

  /** The slot of the line's session; -1 for a line that ends a session without another line. */
  #sessionOf(line: SessionLine): number {
    const { table } = this;
    hashSession(line.id, line.filter, this.#log, this.#key);
    let slot = table.find(this.#key);
    // The program may use the id again for another client.
    if (slot >= 0 && (line.isBegin || Math.abs(line.at - table.lastAt(slot)) > line.age)) {
      table.remove(slot);
      slot = -1;
    }
    if (slot < 0 && !line.isEnd) slot = table.add(this.#key);
    if (slot >= 0) table.touch(slot, line.at);
    return slot;
  }
}
