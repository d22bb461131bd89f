import { type Graph, Op as Ops } from "../dfa/program.ts";
import type { LineWork } from "../dfa/line-work.ts";
import { beginMatch, type Match } from "../dfa/walk.ts";
import { ENDLESS, endlessNodes, WAY_OUT } from "./endless.ts";
import { newStamp, Tried } from "./tried.ts";

/** What must be the same however a cut text continues: numbers of groups. */
export interface Settled {
  /** The first that took part is the host. It must end before the cut. */
  readonly hosts: readonly number[];
  /** The group of `<F-CONTENT>`, which may reach the cut; 0 for none. */
  readonly content: number;
}

/**
 * Runs a pattern as V8 does, by trying the preferred branch first and going back, but in counted steps, and never twice from the same node at
 * the same place. So its answers do not depend on a clock, and the work is linear in the length of the text.
 *
 * In a cut text, of which only the first part is known, a match counts if it is one *whatever follows*, with the same host: no branch that the
 * pattern prefers may need a byte beyond the cut and come to another host. So `$`, and an assertion about the next byte, hold nowhere at the
 * cut; a final `.*$` holds, because it says nothing.
 */
export class StepSearch {
  readonly #graph: Graph;
  readonly #tried: Tried;
  readonly #endless: Uint8Array;
  /** Start and end of each group, or -1. */
  readonly #bounds: Int32Array;
  /** Alternately: the node and the place to go back to; or `~group bound` and its former value. */
  readonly #stack: number[] = [];
  /** Whether the content of the last match ends at the end of the text: in a cut text its own end is missing then. */
  reachesEnd = false;
  /** Groups that back-references and conditions ask about. */
  readonly #asked: readonly number[];
  readonly #isAsked: Uint8Array;
  /** By their bounds, in this text. */
  readonly #stamps = new Map<string, number>();
  /** Of their bounds as they are; 0 when they changed. */
  #stamp = 0;
  #text = "";
  #work: LineWork = { left: 0 };
  /** Null when the text is whole. */
  #settled: Settled | null = null;
  /** The bounds of the settled groups on a branch that the pattern prefers and that needs bytes beyond the cut. */
  #open: readonly number[] | null = null;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#tried = new Tried(graph);
    this.#endless = endlessNodes(graph);
    this.#bounds = new Int32Array(graph.groups * 2);
    const asking = Array.from(graph.op, (op, node) => (op >= Ops.same ? graph.a[node]! : -1));
    this.#asked = [...new Set(asking.filter((group) => group >= 0))];
    this.#isAsked = Uint8Array.from({ length: graph.groups }, (_, group) =>
      Number(this.#asked.includes(group)),
    );
  }

  /** As RegExp.prototype.exec; undefined when the work is used up. With `settled` the text is cut. */
  exec(text: string, work: LineWork, settled: Settled | null = null): Match | null | undefined {
    this.#text = text;
    this.#work = work;
    this.#settled = settled;
    this.#open = null;
    this.#stamps.clear();
    work.left -= this.#tried.begin(text.length);
    const lastStart = this.#graph.op[this.#graph.start] === Op.atStart ? 0 : text.length;
    for (let start = 0; start <= lastStart; start++) {
      this.#bounds.fill(-1);
      this.#stamp = 0;
      const end = this.#follow(this.#graph.start, start, true);
      if (end === OUT_OF_WORK) return undefined;
      if (end === UNSETTLED) return null;
      if (end < 0) continue;
      if (!this.#isSettled()) return null;
      const content = settled?.content ?? 0;
      this.reachesEnd = (content === 0 ? end : this.#bounds[content * 2 - 1]!) === text.length;
      return this.#made(start, end);
    }
    return null;
  }

  #made(start: number, end: number): Match {
    const match = beginMatch(this.#text, start, end);
    for (let i = 0; i < this.#bounds.length; i += 2) {
      const last = this.#bounds[i + 1]!;
      match.push(last < 0 ? undefined : this.#text.slice(this.#bounds[i], last));
    }
    return match;
  }

  /**
   * Follows a program from a node to its accept: the end of the match, NO_MATCH, UNSETTLED or OUT_OF_WORK. A body of a lookaround is not
   * `isWhole`: it answers BEYOND where it needs bytes beyond the cut.
   */
  #follow(from: number, place: number, isWhole: boolean): number {
    const { op, a, b } = this.#graph;
    const stack = this.#stack;
    const bottom = stack.length;
    const isCut = this.#settled !== null;
    let node = from;
    let at = place;
    for (;;) {
      if (--this.#work.left < 0) return this.#leave(bottom, OUT_OF_WORK);
      const code = op[node]!;
      if (code === Op.accept) return this.#leave(bottom, at);
      if (code === Op.split) {
        if (isCut && this.#endless[node] === ENDLESS) {
          this.#saveToEnd(node);
          return this.#leave(bottom, this.#text.length);
        }
        if (!isWhole || !this.#wasTried(node, at)) {
          stack.push(b[node]!, at);
          node = a[node]!;
          continue;
        }
        if (isCut && !this.#isAsOpen()) return this.#leave(bottom, UNSETTLED);
      } else {
        const found = this.#step(code, a[node]!, at);
        if (found >= 0) {
          at = found;
          node = b[node]!;
          continue;
        }
        if (found === OUT_OF_WORK || (found === BEYOND && !isWhole)) return this.#leave(bottom, found);
        if (found === BEYOND && !this.#noteOpen()) return this.#leave(bottom, UNSETTLED);
      }
      if (!this.#back(bottom)) return NO_MATCH;
      at = stack.pop()!;
      node = stack.pop()!;
    }
  }

  #wasTried(node: number, at: number): boolean {
    if (!this.#tried.depends(node)) return this.#tried.was(node, at);
    if (this.#stamp === 0) this.#stamp = this.#stampOfGroups();
    return this.#tried.wasWith(this.#stamp, node, at);
  }

  /** The stamp of the groups that back-references and conditions ask about, as they are. */
  #stampOfGroups(): number {
    let key = "";
    for (const group of this.#asked) key += `${this.#bounds[group * 2]!},${this.#bounds[group * 2 + 1]!};`;
    const known = this.#stamps.get(key) ?? newStamp();
    this.#stamps.set(key, known);
    return known;
  }

  /** One node that does not branch: the place behind it, NO_MATCH, BEYOND or OUT_OF_WORK. */
  #step(code: number, first: number, at: number): number {
    switch (code) {
      case Op.byte:
        if (at === this.#text.length) return this.#atCut();
        return this.#isIn(first, at) ? at + 1 : NO_MATCH;
      case Op.byteBack:
        return this.#isIn(first, at - 1) ? at - 1 : NO_MATCH;
      case Op.save:
        this.#set(first, at);
        return at;
      case Op.clear:
        this.#set(first * 2, -1);
        this.#set(first * 2 + 1, -1);
        return at;
      case Op.fail:
        return NO_MATCH;
      case Op.same:
      case Op.sameBack:
      case Op.sameFolded:
        return this.#repeatGroup(code, first, at);
      case Op.isEmpty:
      case Op.tookPart:
      case Op.notPart: {
        const length = this.#lengthOf(first);
        const holds = code === Op.isEmpty ? length === 0 : length >= 0 === (code === Op.tookPart);
        return holds ? at : NO_MATCH;
      }
      default:
        return this.#assert(code, first, at);
    }
  }

  /** Bytes of a group; -1 when it took no part. */
  #lengthOf(group: number): number {
    const end = this.#bounds[group * 2 + 1]!;
    return end < 0 ? -1 : Math.max(0, end - this.#bounds[group * 2]!);
  }

  /** The place behind the text of a group, or before it; NO_MATCH or BEYOND. Costs as much as the text is long. */
  #repeatGroup(code: number, group: number, at: number): number {
    const length = this.#lengthOf(group);
    if (length <= 0) return NO_MATCH;
    this.#work.left -= length >>> 2;
    const from = this.#bounds[group * 2]!;
    const text = this.#text;
    if (code === Op.sameBack)
      return text.startsWith(text.slice(from, from + length), at - length) ? at - length : NO_MATCH;
    if (at + length > text.length) return this.#atCut();
    const said = text.slice(from, from + length);
    if (text.startsWith(said, at)) return at + length;
    const isSame = code === Op.sameFolded && folded(text.slice(at, at + length)) === folded(said);
    return isSame ? at + length : NO_MATCH;
  }

  #assert(code: number, first: number, at: number): number {
    const { length } = this.#text;
    const set = this.#graph.behind[first]!;
    switch (code) {
      case Op.atStart:
        return at === 0 ? at : NO_MATCH;
      case Op.atEnd:
        if (at < length) return NO_MATCH;
        return this.#settled === null ? at : BEYOND;
      case Op.edge:
      case Op.notEdge:
        if (at === length && this.#settled !== null) return BEYOND;
        return (this.#isIn(set, at - 1) !== this.#isIn(set, at)) === (code === Op.edge) ? at : NO_MATCH;
      case Op.after:
      case Op.notAfter:
        return this.#isIn(set, at - 1) === (code === Op.after) ? at : NO_MATCH;
      default:
        return this.#look(first, at, code === Op.notLook || code === Op.notBehind);
    }
  }

  /** Where a byte is needed and there is none. */
  #atCut(): number {
    return this.#settled === null ? NO_MATCH : BEYOND;
  }

  #isIn(set: number, at: number): boolean {
    if (at < 0 || at >= this.#text.length) return false;
    const { sets, classOf, classCount } = this.#graph;
    return sets[set * classCount + classOf[this.#text.charCodeAt(at) & 255]!] === 1;
  }

  /** Runs the body of a lookaround. Its groups stay set if it holds; those of a negative one are never set. */
  #look(body: number, at: number, isNegative: boolean): number {
    const before = isNegative ? this.#bounds.slice() : null;
    const found = this.#follow(body, at, false);
    if (before !== null) {
      this.#bounds.set(before);
      this.#stamp = 0;
    }
    if (found === OUT_OF_WORK || found === BEYOND) return found;
    return found >= 0 === isNegative ? NO_MATCH : at;
  }

  #set(bound: number, at: number): void {
    if (this.#isAsked[bound >> 1] === 1) this.#stamp = 0;
    this.#stack.push(~bound, this.#bounds[bound]!);
    this.#bounds[bound] = at;
  }

  /** Undoes bounds down to the last branch that was not taken; false when there is none above `bottom`. */
  #back(bottom: number): boolean {
    const stack = this.#stack;
    while (stack.length > bottom) {
      const node = stack[stack.length - 2]!;
      if (node >= 0) return true;
      this.#bounds[~node] = stack.pop()!;
      if (this.#isAsked[~node >> 1] === 1) this.#stamp = 0;
      stack.pop();
    }
    return false;
  }

  /**
   * Ends `#follow`. The bounds that a body set stay on the stack, so that going back undoes them; branches that were not taken leave it.
   */
  #leave(bottom: number, result: number): number {
    const stack = this.#stack;
    if (bottom === 0) {
      stack.length = 0;
      return result;
    }
    let kept = bottom;
    for (let i = bottom; i < stack.length; i += 2) {
      if (stack[i]! >= 0) continue;
      stack[kept] = stack[i]!;
      stack[kept + 1] = stack[i + 1]!;
      kept += 2;
    }
    stack.length = kept;
    return result;
  }

  /** Follows the way out of a final `.*`: groups that end there end at the cut. */
  #saveToEnd(node: number): void {
    const { op, a, b } = this.#graph;
    let out = this.#endless[b[node]!] === WAY_OUT ? b[node]! : a[node]!;
    for (; op[out] !== Op.accept; out = b[out]!) {
      if (op[out] === Op.save) this.#set(a[out]!, this.#text.length);
    }
  }

  /** A preferred branch reached the cut. False when its host is not known or is another one than that of an earlier branch. */
  #noteOpen(): boolean {
    const { hosts, content } = this.#settled!;
    const bounds = this.#settledBounds();
    const hasHost = hosts.length === 0 || hosts.some((group) => this.#bounds[group * 2 - 1]! >= 0);
    const hasContent = content === 0 || this.#bounds[content * 2 - 1]! >= 0;
    if (!hasHost || !hasContent) return false;
    if (this.#open === null) {
      this.#open = bounds;
      return true;
    }
    return this.#isAsOpen();
  }

  #isAsOpen(): boolean {
    if (this.#open === null) return true;
    const bounds = this.#settledBounds();
    return bounds.every((bound, i) => bound === this.#open![i]);
  }

  /** Whether the match found is one whatever follows. */
  #isSettled(): boolean {
    if (this.#settled === null) return true;
    const { length } = this.#text;
    const endsBefore = this.#settled.hosts.every((group) => this.#bounds[group * 2 - 1]! < length);
    return endsBefore && this.#isAsOpen();
  }

  #settledBounds(): number[] {
    const { hosts, content } = this.#settled!;
    const groups = content === 0 ? hosts : [...hosts, content];
    return groups.flatMap((group) => [this.#bounds[group * 2 - 2]!, this.#bounds[group * 2 - 1]!]);
  }
}

/** With small ASCII letters. */
function folded(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const NO_MATCH = -1;
const OUT_OF_WORK = -2;
/** Whether there is a match, or with which host, depends on what follows the cut. */
const UNSETTLED = -3;
/** The body of a lookaround needs bytes beyond the cut. */
const BEYOND = -4;

/** A local name: where modules are not bundled, as in tests, each use of an imported name is a call. */
const Op = Ops;
