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
 */
export class ReadLoop {
  readonly #stats: SourceStats;
  readonly #events: ReadLoopEvents;
  readonly #buffer: Buffer;
  readonly #busy = new Set<Tail>();
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;
  #running = true;
  /** Why changes are not told and files are looked at by a timer; empty when they are. */
  fault = "";

  constructor(maxLine: number, stats: SourceStats, events: ReadLoopEvents) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, (maxLine + 1) * 2));
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
    this.#stats.waiting -= tail.waiting;
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

  /** One round over the busy files, 8 ms at most; then the event loop has its turn, or rests until the next look. */
  #work(): void {
    this.#turn = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const deadline = performance.now() + STRETCH;
    let unfinished = false;
    for (const tail of Array.from(this.#busy)) {
      unfinished ||= performance.now() > deadline;
      if (unfinished) break;
      // To the end of the line of busy files, so that none of them starves.
      if (!this.#busy.delete(tail)) continue;
      this.#busy.add(tail);
      while (this.#lookAt(tail, TURNS)) {
        unfinished = performance.now() > deadline;
        if (unfinished) break;
      }
    }
    if (!this.#running || this.#busy.size === 0) return;
    if (unfinished) this.#turn ??= setImmediate(() => this.#work());
    else if (this.#turn === undefined) this.#timer ??= setTimeout(() => this.#work(), this.#interval());
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

  #look(tail: Tail, turns: number): Look {
    const before = tail.waiting;
    const look = tail.look(this.#buffer, turns);
    this.#stats.waiting += tail.waiting - before;
    tail.quiet = look.grew ? 0 : tail.quiet + 1;
    if (look.grew && tail.lostAt !== null) tail.lostAt = Date.now();
    return look;
  }
}

/** How often a file is looked at whose changes nobody tells, in ms. */
export const POLL_EVERY = 250;

/** How long one stretch of work may keep the event loop, in ms. */
const STRETCH = 8;
/** How often a busy file is looked at, in ms: what a new line waits at most. */
const LOOK_EVERY = 10;
/** So many looks without news, and the alarm takes over. */
const QUIET_LOOKS = 5;
/** Buffers in a row from one file before the clock is asked. */
const TURNS = 2;
const BUFFER_BYTES = 1 << 16;
