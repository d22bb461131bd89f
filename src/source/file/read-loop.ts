import type { SourceStats } from "../source.ts";
import type { Look, Rooms, Tail } from "./tail.ts";

export interface ReadLoopEvents {
  /** The path of a file now names another file; the old one was read to its end. */
  moved(): void;
  /** A file cannot be read any more. The loop has dropped it. */
  broke(tail: Tail, thrown: unknown): void;
  /** Called before the first byte of a file is read; false skips the file. */
  shouldRead(tail: Tail): boolean;
  /** Watching has failed, or works again: `fault` says why. */
  blind(): void;
}

/**
 * Decides when each file is read.
 *
 *      idle ── alarm rings ──► busy: a look every 10 ms ── 5 looks without news ──► set the alarm, one last look ──► idle
 *
 * Gaps are read only while no file has new bytes.
 */
export class ReadLoop {
  readonly #stats: SourceStats;
  readonly #events: ReadLoopEvents;
  readonly #rooms: Rooms;
  /** Smaller ones. Used while lines take long: before the code is optimized, or on a slow machine. */
  readonly #smallRooms: Rooms;
  #slow = true;
  readonly #busy = new Set<Tail>();
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #running = true;
  /** Why files are polled instead of watched; empty when they are watched. */
  fault = "";

  constructor(maxLine: number, stats: SourceStats, events: ReadLoopEvents) {
    const whole = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, (maxLine + 1) * 2));
    this.#rooms = { usual: whole.subarray(0, BUFFER_BYTES), whole };
    this.#smallRooms = { usual: whole.subarray(0, BUFFER_BYTES / 8), whole };
    this.#stats = stats;
    this.#events = events;
  }

  /** Reads the file in the next turn, and until it is quiet. */
  wake(tail: Tail): void {
    tail.alarm.clear();
    tail.quiet = 0;
    if (!this.#running) return;
    this.#busy.add(tail);
    this.#turn ??= setImmediate(() => this.#work());
  }

  /** Stops reading the file; with `finish`, delivers a last line without an LF. */
  forget(tail: Tail, finish: boolean): void {
    this.#busy.delete(tail);
    this.#stats.waitingBytes -= tail.waiting;
    this.#stats.laterBytes -= tail.later;
    tail.waiting = 0;
    if (finish) tail.finish(this.#rooms.whole);
  }

  stop(): void {
    this.#running = false;
    this.#busy.clear();
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
  }

  /** Looks at the file at once; later looks come with those at other files. */
  #rang(tail: Tail): void {
    tail.quiet = 0;
    this.#busy.add(tail);
    if (this.#lookAt(tail, 1)) this.#turn ??= setImmediate(() => this.#work());
    else if (this.#turn === undefined) this.#timer ??= setTimeout(() => this.#work(), LOOK_EVERY);
  }

  /** Reads the busy files in turn, for STRETCH and one look at most. Then yields to the event loop, or waits for the next look. */
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

  /** True when all files were read before the deadline. */
  #readNews(deadline: number): boolean {
    for (const tail of Array.from(this.#busy)) {
      if (performance.now() > deadline) return false;
      // Move the file to the end of the queue, so that no file starves.
      if (!this.#busy.delete(tail)) continue;
      this.#busy.add(tail);
      while (this.#lookAt(tail, TURNS)) if (performance.now() > deadline) return false;
    }
    return true;
  }

  /** Reads one buffer from the gaps of each file; true when gaps remain. */
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
    return POLL_EVERY; // the remaining files cannot be watched
  }

  /** True while more bytes are ready. */
  #lookAt(tail: Tail, turns: number): boolean {
    if (tail.isHeld) return false;
    try {
      if (tail.position === 0 && !this.#events.shouldRead(tail)) return false;
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

  /** Sets the alarm, then looks once more: bytes that were written before it was set do not ring it. */
  #rest(tail: Tail): void {
    // Through the descriptor: the path may name another file by now.
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
      this.#counted(tail, () => tail.readLater(this.#slow ? this.#smallRooms : this.#rooms));
      tail.quiet = 0;
      if (tail.lostAt !== null) tail.lostAt = Date.now();
    } catch (thrown) {
      this.#busy.delete(tail);
      this.#events.broke(tail, thrown);
    }
  }

  #look(tail: Tail, turns: number): Look {
    const started = performance.now();
    const look = this.#counted(tail, () => tail.look(this.#slow ? this.#smallRooms : this.#rooms, turns));
    if (look.more) this.#slow = performance.now() - started > (this.#slow ? LONG_LOOK / 8 : LONG_LOOK);
    tail.quiet = look.grew ? 0 : tail.quiet + 1;
    if (look.grew && tail.lostAt !== null) tail.lostAt = Date.now();
    return look;
  }

  /** Updates the source's sums from the file's counters, even when reading fails. */
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

/** Interval of looks at a file that cannot be watched, in ms. */
export const POLL_EVERY = 250;

/** Maximum time of work in one turn of the event loop, in ms. */
const STRETCH = 5;
/** A look that takes longer than this, in ms, makes the next one read less. */
const LONG_LOOK = 4;
/** Interval of looks at a busy file, in ms: the maximum delay of a new line. */
const LOOK_EVERY = 10;
/** Looks without news before the alarm is set. */
const QUIET_LOOKS = 5;
/** Buffers read from one file between two checks of the deadline. */
const TURNS = 2;
const BUFFER_BYTES = 1 << 17;
