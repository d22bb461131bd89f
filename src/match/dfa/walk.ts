import type { LineWork } from "./line-work.ts";
import type { LiveStates } from "./live-states.ts";
import { Op } from "./program.ts";

/** Like what RegExp.prototype.exec answers: the whole match, then the groups. */
export type Match = readonly (string | undefined)[];

/**
 * Follows a match from its first byte to its last, as a backtracking engine would find it: at each fork the preferred branch, if it
 * is alive. Since that is known of every place, the walk never turns back. Null when the line's work is used up.
 */
export function walk(
  live: LiveStates,
  text: string,
  start: number,
  states: Uint16Array,
  work: LineWork,
): Match | null {
  const { program } = live;
  const bounds = new Int32Array(program.groups * 2).fill(-1);
  const end = walkFrom(live, { node: program.start, at: start }, states, bounds, work);
  if (end < 0) return null;
  const match: (string | undefined)[] = [text.slice(start, end)];
  for (let i = 0; i < bounds.length; i += 2) {
    match.push(bounds[i + 1]! < 0 ? undefined : text.slice(bounds[i], bounds[i + 1]));
  }
  return match;
}

/** The place where it ends; -1 when there is no work left. */
function walkFrom(
  live: LiveStates,
  from: { node: number; at: number },
  states: Uint16Array,
  bounds: Int32Array,
  work: LineWork,
): number {
  const { op, a, b } = live.program;
  let { node, at } = from;
  for (; work.left >= 0; work.left--) {
    const next = b[node]!;
    switch (op[node]) {
      case Op.accept:
        return at;
      case Op.byte:
        at++;
        node = next;
        break;
      case Op.split:
        node = live.isAlive(states[at]!, a[node]!) ? a[node]! : next;
        break;
      case Op.save:
        bounds[a[node]!] = at;
        node = next;
        break;
      case Op.clear:
        bounds.fill(-1, a[node]! * 2, a[node]! * 2 + 2);
        node = next;
        break;
      case Op.lookInto:
        if (walkFrom(live, { node: a[node]!, at }, states, bounds, work) < 0) return -1;
        node = next;
        break;
      default:
        node = next;
    }
  }
  return -1;
}
