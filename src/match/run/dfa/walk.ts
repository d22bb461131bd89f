import type { LineWork } from "./line-work.ts";
import type { LiveStates } from "./live-states.ts";
import { Op as Ops } from "./program.ts";

/** As RegExp.prototype.exec returns it: the whole match, then the groups, and the place where it begins. */
export type Match = readonly (string | undefined)[] & { readonly index: number };

/**
 * Follows the match that a backtracking engine would find, from its first byte to its last: at each split it takes the preferred branch if
 * that is alive. The states say so for every place, so it never goes back. Null when the work is used up.
 */
export function walk(
  live: LiveStates,
  text: string,
  start: number,
  states: Uint16Array,
  work: LineWork,
): Match | null {
  const bounds = new Int32Array(live.program.groups * 2).fill(-1);
  const walker = new Walker(live, states, work);
  const end = walker.follow(live.program.start, start, bounds);
  if (end < 0) return null;
  const match = beginMatch(text, start, end);
  for (let i = 0; i < bounds.length; i += 2) {
    match.push(bounds[i + 1]! < 0 ? undefined : text.slice(bounds[i], bounds[i + 1]));
  }
  return match;
}

export function beginMatch(
  text: string,
  start: number,
  end: number,
): (string | undefined)[] & { index: number } {
  return Object.assign([text.slice(start, end)] as (string | undefined)[], { index: start });
}

/** A lookahead with groups. */
interface Look {
  readonly body: number;
  readonly at: number;
  /** The number of clears before it. */
  readonly clears: number;
}

class Walker {
  readonly #live: LiveStates;
  readonly #states: Uint16Array;
  readonly #work: LineWork;

  constructor(live: LiveStates, states: Uint16Array, work: LineWork) {
    this.#live = live;
    this.#states = states;
    this.#work = work;
  }

  /** Writes the bounds of the groups and returns the end of the match, or -1 when the work is used up. */
  follow(start: number, from: number, bounds: Int32Array): number {
    const { op, a, b, groups } = this.#live.program;
    // Only the last turn counts, because a repeat clears its groups at each turn. Following every lookahead would take quadratic time.
    const looks = new Map<number, Look>();
    const clearedAt = new Int32Array(groups);
    let clears = 0;
    let node = start;
    let at = from;
    for (; this.#work.left >= 0; this.#work.left--) {
      const first = a[node]!;
      switch (op[node]) {
        case Op.accept:
          for (const look of looks.values()) if (!this.#lookInto(look, clearedAt, bounds)) return -1;
          return at;
        case Op.byte:
          at++;
          node = b[node]!;
          break;
        case Op.split:
          node = this.#live.isAlive(this.#states[at]!, first) ? first : b[node]!;
          break;
        case Op.save:
          bounds[first] = at;
          node = b[node]!;
          break;
        case Op.clear:
          bounds.fill(-1, first * 2, first * 2 + 2);
          clearedAt[first] = ++clears;
          node = b[node]!;
          break;
        case Op.lookInto:
          looks.set(node, { body: first, at, clears });
          node = b[node]!;
          break;
        default:
          node = b[node]!;
      }
    }
    return -1;
  }

  /** Writes the groups of a lookahead that no later turn cleared. */
  #lookInto({ body, at, clears }: Look, clearedAt: Int32Array, bounds: Int32Array): boolean {
    const inside = new Int32Array(bounds.length).fill(-1);
    if (this.follow(body, at, inside) < 0) return false;
    for (let i = 0; i < bounds.length; i++) {
      if (inside[i]! >= 0 && clearedAt[i >>> 1]! <= clears) bounds[i] = inside[i]!;
    }
    return true;
  }
}

/** A local name: where modules are not bundled, as in tests, each use of an imported name is a call. */
const Op = Ops;
