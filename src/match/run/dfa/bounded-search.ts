import { LIMITS } from "../../../core/limits.ts";
import type { DfaMemory } from "./dfa-memory.ts";
import type { LineWork } from "./line-work.ts";
import { LiveStates, NOWHERE } from "./live-states.ts";
import type { Programs } from "./program.ts";
import { type Match, walk } from "./walk.ts";

/**
 * Runs a pattern in time that grows with the text's length and nothing else. First the mirror image, from the text's beginning to
 * where it is clear that there is no match; then the pattern from the text's end, which tells of each place what can be
 * matched from there; then the match itself, which never tries in vain.
 */
export class BoundedSearch {
  readonly #mirrored: LiveStates;
  readonly #forward: LiveStates;

  constructor({ forward, mirrored }: Programs, memory: DfaMemory) {
    this.#mirrored = new LiveStates(mirrored, memory);
    this.#forward = new LiveStates(forward, memory);
  }

  /** What RegExp.prototype.exec would answer, or undefined: too much work for one pattern, or this one is beyond it. */
  exec(text: string, work: LineWork): Match | null | undefined {
    const share: LineWork = { left: Math.min(work.left, MIRRORED_WORK) };
    const granted = share.left;
    const found = this.#mirrored.find(text, share);
    work.left -= granted - share.left;
    if (found === NOWHERE) return null;
    return this.#forward.program.isExact ? this.#match(text, work) : undefined;
  }

  #match(text: string, work: LineWork): Match | null | undefined {
    if (states.length <= text.length) states = new Uint16Array(text.length * 2 + 1);
    const share: LineWork = { left: Math.min(work.left, FORWARD_WORK) };
    const granted = share.left;
    const start = this.#forward.run(text, states, share);
    const match = start < 0 ? null : walk(this.#forward, text, start, states, share);
    work.left -= granted - share.left;
    if (start === NOWHERE) return null;
    return match ?? undefined;
  }
}

/** Of a line's work. The first pass only saves the second one, which is why it gets less. */
const MIRRORED_WORK = LIMITS.lineWork.value / 12;
const FORWARD_WORK = LIMITS.lineWork.value / 3;

/** Of the text at hand, for all patterns one after the other. */
let states = new Uint16Array(1);
