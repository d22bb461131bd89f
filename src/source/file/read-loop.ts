import type { SourceStats } from "../source.ts";
import type { Look, Tail } from "./tail.ts";

export interface ReadLoopEvents {
  /** A file's path leads elsewhere; what it had was read. */
  moved(): void;
  /** It cannot be read any more. The loop has forgotten it. */
  broke(tail: Tail, thrown: unknown): void;
  /** Asked before the first byte of a file is read: false to leave it alone. */
  wanted(tail: Tail): boolean;
  /** Changes can no longer be told, or again can: `fault` says why. */
  blind(): void;
}

/**
 * Decides when each file is read.
 *
 *      idle ── alarm rings ──► busy: looked at every 10 ms ── 5 looks without news ──► alarm set, one last look ──► idle
 *
 * What was left for later is read only while no file has anything newer.
 */
export class ReadLoop {
  readonly #stats: SourceStats;
  readonly #events: ReadLoopEvents;
  readonly #buffer: Buffer;
  /** Its first part, which is read into while lines are slow: when they come for the first time, or on a slow machine. */
  readonly #part: Buffer;
  #slow = true;
  readonly #busy = new Set<Tail>();
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #running = true;
  /** Why changes are not told and files are looked at by a timer; empty when they are. */
  fault = "";

  constructor(maxLine: number, stats: SourceStats, events: ReadLoopEvents) {
    const least = (maxLine + 1) * 2;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, least));
    this.#part = this.#buffer.subarray(0, Math.max(BUFFER_BYTES / 8, least));
    this.#stats = stats;
    this.#events = events;
  }

  /** Reads the file soon, and until it is quiet. */
  wake(tail: Tail): void {
    tail.alarm.clear();
    tail.quiet = 0;
    if (!this.#running) return;
    this.#busy.add(tail);
    this.#turn ??= setImmediate(() => this.#work());
  }

  /** Reads it no more; with `finish`, a last line without its LF is delivered. */
  forget(tail: Tail, finish: boolean): void {
    this.#busy.delete(tail);
    this.#stats.waitingBytes -= tail.waiting;
    this.#stats.laterBytes -= tail.later;
    tail.waiting = 0;
    if (finish) tail.finish(this.#buffer);
  }

  stop(): void {
    this.#running = false;
    this.#busy.clear();
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }

  /** A first look at once; the next comes with the others'. */
  #rang(tail: Tail): void {
    tail.quiet = 0;
    this.#busy.add(tail);
    if (this.#lookAt(tail, 1)) this.#turn ??= setImmediate(() => this.#work());
    else if (this.#turn === undefined) this.#timer ??= setTimeout(() => this.#work(), LOOK_EVERY);
  }

  /** Rounds over the busy files, for STRETCH and one look at most; then the event loop has its turn, or rests until the next look. */
  #work(): void {
    this.#turn = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const deadline = performance.now() + STRETCH;
    let more = true;
    while (more && performance.now() <= deadline) more = !this.#readNews(deadline) || this.#readLater();
    if (!this.#running || this.#busy.size === 0) return;
    if (more) this.#turn ??= setImmediate(() => this.#work());
    else if (this.#turn === undefined) this.#timer ??= setTimeout(() => this.#work(), this.#interval());
  }

  /** True when nothing is new in any of them by the deadline. */
  #readNews(deadline: number): boolean {
    for (const tail of Array.from(this.#busy)) {
      if (performance.now() > deadline) return false;
      // To the end of the line of busy files, so that none of them starves.
      if (!this.#busy.delete(tail)) continue;
      this.#busy.add(tail);
      while (this.#lookAt(tail, TURNS)) if (performance.now() > deadline) return false;
    }
    return true;
  }

  /** One part of what each file left for later; true when there is more of it. */
  #readLater(): boolean {
    let more = false;
    for (const tail of Array.from(this.#busy)) {
      if (tail.later === 0) continue;
      this.#lookBack(tail);
      more ||= tail.later > 0;
    }
    return more;
  }

  #interval(): number {
    for (const tail of this.#busy) if (tail.quiet <= QUIET_LOOKS) return LOOK_EVERY;
    return POLL_EVERY; // nobody rings for those that are left
  }

  /** True while there is more to read at once. */
  #lookAt(tail: Tail, turns: number): boolean {
    try {
      if (tail.position === 0 && !this.#events.wanted(tail)) return false;
      const look = this.#look(tail, turns);
      if (look.more) return true;
      if (look.moved && tail.lostAt === null) this.#events.moved();
      else if (tail.quiet === QUIET_LOOKS) this.#rest(tail);
    } catch (thrown) {
      this.#busy.delete(tail);
      this.#events.broke(tail, thrown);
    }
    return false;
  }

  /** Sets the alarm, then looks once more: what was written before it was set rings nobody. */
  #rest(tail: Tail): void {
    // By the descriptor, so that it is this file whatever the path means by now.
    const fact = tail.alarm.set(`/proc/self/fd/${tail.fd}`, () => this.#rang(tail));
    if (this.fault !== (fact ?? "")) {
      this.fault = fact ?? "";
      this.#events.blind();
    }
    if (fact !== null) return;
    this.#busy.delete(tail);
    const look = this.#look(tail, 1);
    if (look.grew || (look.moved && tail.lostAt === null)) this.wake(tail);
  }

  #lookBack(tail: Tail): void {
    try {
      this.#counted(tail, () => tail.readLater(this.#slow ? this.#part : this.#buffer));
      tail.quiet = 0;
      if (tail.lostAt !== null) tail.lostAt = Date.now();
    } catch (thrown) {
      this.#busy.delete(tail);
      this.#events.broke(tail, thrown);
    }
  }

  #look(tail: Tail, turns: number): Look {
    const started = performance.now();
    const look = this.#counted(tail, () => tail.look(this.#slow ? this.#part : this.#buffer, turns));
    if (look.more) this.#slow = performance.now() - started > (this.#slow ? LONG_LOOK / 8 : LONG_LOOK);
    tail.quiet = look.grew ? 0 : tail.quiet + 1;
    if (look.grew && tail.lostAt !== null) tail.lostAt = Date.now();
    return look;
  }

  /** Keeps the source's sums in step with the file's own, also when reading it fails. */
  #counted<Result>(tail: Tail, read: () => Result): Result {
    const { waiting, later } = tail;
    try {
      return read();
    } finally {
      this.#stats.waitingBytes += tail.waiting - waiting;
      this.#stats.laterBytes += tail.later - later;
    }
  }
}

/** How often a file is looked at whose changes nobody tells, in ms. */
export const POLL_EVERY = 250;

/** How long one stretch of work may keep the event loop, in ms. */
const STRETCH = 5;
/** A look into whole buffers that takes longer than this, in ms, is too long. */
const LONG_LOOK = 4;
/** How often a busy file is looked at, in ms: what a new line waits at most. */
const LOOK_EVERY = 10;
/** So many looks without news, and the alarm takes over. */
const QUIET_LOOKS = 5;
/** Buffers in a row from one file before the clock is asked. */
const TURNS = 2;
const BUFFER_BYTES = 1 << 17;
