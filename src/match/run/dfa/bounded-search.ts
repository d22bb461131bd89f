import { LIMITS } from "../../../core/limits.ts";
import type { DfaMemory } from "./dfa-memory.ts";
import type { LineWork } from "./line-work.ts";
import { LiveStates, NOWHERE } from "./live-states.ts";
import type { Programs } from "./program.ts";
import { type Match, walk } from "./walk.ts";

/**
 * Runs a pattern in time linear in the length of the text. First the mirrored program, from the start of the text until it is clear that
 * there is no match. Then the forward program, from the end, which finds at each place what can match from there on. Then the walk
 * along the match, which never backtracks.
 */
export class BoundedSearch {
  readonly #mirrored: LiveStates;
  readonly #forward: LiveStates;

  constructor({ forward, mirrored }: Programs, memory: DfaMemory) {
    this.#mirrored = new LiveStates(mirrored, memory);
    this.#forward = new LiveStates(forward, memory);
  }

  /** As RegExp.prototype.exec; undefined when the work is used up or the program is not exact. */
  exec(text: string, work: LineWork): Match | null | undefined {
    const share: LineWork = { left: Math.min(work.left, Math.max(MIRRORED_WORK, text.length * 2)) };
    const granted = share.left;
    const found = this.#mirrored.find(text, share);
    work.left -= granted - share.left;
    if (found === NOWHERE) return null;
    return this.#forward.program.isExact ? this.#match(text, work) : undefined;
  }

  #match(text: string, work: LineWork): Match | null | undefined {
    if (states.length <= text.length) states = new Uint16Array(text.length * 2 + 1);
    const share: LineWork = { left: Math.min(work.left, Math.max(FORWARD_WORK, text.length * 6)) };
    const granted = share.left;
    const start = this.#forward.run(text, states, share);
    const match = start < 0 ? null : walk(this.#forward, text, start, states, share);
    work.left -= granted - share.left;
    if (start === NOWHERE) return null;
    return match ?? undefined;
  }
}

/** Shares of a line's work. The first pass only saves the second one, so it gets less. */
const MIRRORED_WORK = LIMITS.lineWork.value / 12;
const FORWARD_WORK = LIMITS.lineWork.value / 3;

/** The states of the current text, shared by all patterns. */
let states = new Uint16Array(1);
