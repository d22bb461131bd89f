import { type AST, visitRegExpAST } from "@eslint-community/regexpp";
import { ByteSet, NOT_NEWLINE, WORDS } from "../../filter/byte-set.ts";
import { classBytes } from "../../filter/class-bytes.ts";
import { layGraph, layProgram, type Node, node } from "./lay-program.ts";
import { type Graph, Op, type Program, type Programs } from "./program.ts";
import { syntaxTree } from "../../filter/syntax-tree.ts";

/**
 * Compiles a pattern in JavaScript's spelling without flags, over bytes. A pattern that is too large for an automaton gets one that
 * excludes no line. Null when it is too large for steps, too.
 */
export function compilePrograms(source: string): Programs | null {
  const tree = syntaxTree(source);
  const forward = compileProgram(tree, "forward");
  const mirrored = forward === null ? null : compileProgram(tree, "mirrored");
  if (forward !== null && mirrored !== null)
    return { forward, mirrored, steps: forward.isExact ? null : compileSteps(source) };
  const steps = compileSteps(source);
  if (steps === null) return null;
  const [open, mirroredOpen] = (["forward", "mirrored"] as const).map((direction) =>
    compileProgram(syntaxTree(""), direction),
  );
  return { forward: { ...open!, isExact: false }, mirrored: mirroredOpen!, steps };
}

/** The whole pattern for steps/step-search.ts; null when it is too large for that, too. */
export function compileSteps(source: string): Graph | null {
  return new Compiler("steps", false).compile(syntaxTree(source), layGraph);
}

function compileProgram(tree: AST.Pattern, direction: "forward" | "mirrored"): Program | null {
  for (const isLoose of [false, true]) {
    const program = new Compiler(direction, isLoose).compile(tree, layProgram);
    if (program !== null) return program;
  }
  return null;
}

/** Bound on the nodes of an automaton's program. `{n,m}` becomes copies; a program that would exceed the bound takes it for `+` or `*` instead. */
const MAX_NODES = 2000;
/** Bound on the nodes of `Programs.steps`, which is not cheaper with fewer nodes. */
const MAX_STEP_NODES = 200_000;

/**
 * The next node: `taken` when the current turn of the innermost repeat has consumed a byte, else `idle`. A turn that consumes nothing fails,
 * as in JavaScript, so no walk goes in a circle without consuming a byte.
 */
interface Place {
  readonly taken: Node;
  readonly idle: Node;
}

class TooLarge extends Error {}

class Compiler {
  readonly #mode: "forward" | "mirrored" | "steps";
  readonly #loose: boolean;
  /** Whether what is compiled reads towards the left: a mirrored program, and the body of a lookbehind. */
  #leftwards: boolean;
  /** From 0. */
  readonly #groups = new Map<AST.CapturingGroup, number>();
  #nodes = 0;
  #exact = true;

  constructor(mode: "forward" | "mirrored" | "steps", loose: boolean) {
    this.#mode = mode;
    this.#loose = loose;
    this.#leftwards = mode === "mirrored";
  }

  compile<T>(
    { alternatives }: AST.Pattern,
    lay: (start: Node, groups: number, isExact: boolean) => T,
  ): T | null {
    groupsOf(alternatives).forEach((group, number) => this.#groups.set(group, number));
    try {
      const { idle } = this.#choice(alternatives, { taken: ACCEPT, idle: ACCEPT });
      return lay(idle, this.#groups.size, this.#exact && !this.#loose);
    } catch (thrown) {
      if (thrown instanceof TooLarge) return null;
      throw thrown;
    }
  }

  #node(...parts: Parameters<typeof node>): Node {
    if (++this.#nodes > (this.#mode === "steps" ? MAX_STEP_NODES : MAX_NODES)) throw new TooLarge();
    return node(...parts);
  }

  /** Puts a node before both ways; a single node where both are the same. */
  #before({ taken, idle }: Place, make: (next: Node) => Node): Place {
    const first = make(idle);
    return { idle: first, taken: taken === idle ? first : make(taken) };
  }

  #choice(alternatives: readonly AST.Alternative[], next: Place): Place {
    const ways = alternatives.map(({ elements }) => this.#row(elements, next));
    return ways.reduceRight((other, way) => this.#split(way, other));
  }

  #split(preferred: Place, other: Place): Place {
    const idle = this.#node(Op.split, { a: preferred.idle, b: other.idle });
    if (preferred.taken === preferred.idle && other.taken === other.idle) return { idle, taken: idle };
    return { idle, taken: this.#node(Op.split, { a: preferred.taken, b: other.taken }) };
  }

  #row(elements: readonly AST.Element[], next: Place): Place {
    const step = (place: Place, element: AST.Element): Place => this.#element(element, place);
    return this.#leftwards ? elements.reduce(step, next) : elements.reduceRight(step, next);
  }

  #element(element: AST.Element, next: Place): Place {
    switch (element.type) {
      case "Character":
        return this.#byte(ByteSet.of(element.value), next);
      case "CharacterSet":
      case "CharacterClass":
        return this.#byte(classBytes(element.raw), next);
      case "Group":
        return this.#choice(element.alternatives, next);
      case "CapturingGroup":
        return this.#capture(element, next);
      case "Quantifier":
        return this.#repeat(element, next);
      case "Assertion":
        return this.#assertion(element, next);
      case "Backreference":
        return this.#backReference(element, false, next);
      default:
        throw new Error(`a ${element.type} in a translated pattern`);
    }
  }

  #byte(set: ByteSet, next: Place): Place {
    const op = this.#leftwards && this.#mode === "steps" ? Op.byteBack : Op.byte;
    const one = this.#node(op, { set, b: next.taken });
    return { taken: one, idle: one };
  }

  #capture(group: AST.CapturingGroup, next: Place): Place {
    if (this.#mode === "mirrored") return this.#choice(group.alternatives, next);
    const begin = (this.#groups.get(group) ?? 0) * 2;
    const [first, last] = this.#leftwards ? [begin + 1, begin] : [begin, begin + 1];
    const behind = this.#before(next, (b) => this.#node(Op.save, { number: last, b }));
    const body = this.#choice(group.alternatives, behind);
    return this.#before(body, (b) => this.#node(Op.save, { number: first, b }));
  }

  #repeat({ element, min, max, greedy }: AST.Quantifier, next: Place): Place {
    if (max === 0) return next;
    // How translate.ts writes a back-reference to either case.
    if (element.type === "Backreference" && max === 1) return this.#backReference(element, true, next);
    const cleared =
      this.#mode === "mirrored" ? [] : groupsOf([element]).map((group) => this.#groups.get(group) ?? 0);
    if (this.#loose && max > 1 && (min > 1 || max < Number.POSITIVE_INFINITY)) {
      const loop = this.#loop(element, greedy, cleared, next);
      return min === 0 ? loop : this.#turn(element, cleared, loop);
    }
    let place = next;
    if (max === Number.POSITIVE_INFINITY) place = this.#loop(element, greedy, cleared, place);
    else {
      for (let i = min; i < max; i++) {
        // `next` lies behind all turns, `place` only behind this one.
        const turn = this.#turn(element, cleared, { taken: place.taken, idle: FAIL });
        const entry: Place = { idle: turn.idle, taken: turn.idle };
        place = greedy ? this.#split(entry, next) : this.#split(next, entry);
      }
    }
    for (let i = 0; i < min; i++) place = this.#turn(element, cleared, place);
    return place;
  }

  #loop(element: AST.Element, greedy: boolean, cleared: readonly number[], next: Place): Place {
    const again = this.#node(Op.split, {});
    const { idle: entry } = this.#turn(element, cleared, { taken: again, idle: FAIL });
    const [a, b] = greedy ? [entry, next.taken] : [next.taken, entry];
    Object.assign(again, { a, b });
    if (next.idle === next.taken) return { taken: again, idle: again };
    return {
      taken: again,
      idle: this.#node(Op.split, greedy ? { a: entry, b: next.idle } : { a: next.idle, b: entry }),
    };
  }

  /** One turn of a repeat. It first clears the groups of the turn before. */
  #turn(element: AST.Element, cleared: readonly number[], next: Place): Place {
    const body = this.#element(element, next);
    return cleared.reduce<Place>(
      (place, number) => this.#before(place, (b) => this.#node(Op.clear, { number, b })),
      body,
    );
  }

  #assertion(assertion: AST.Assertion, next: Place): Place {
    switch (assertion.kind) {
      case "start":
      case "end": {
        const isStart = (assertion.kind === "start") !== (this.#mode === "mirrored");
        const op = isStart ? Op.atStart : Op.atEnd;
        return this.#before(next, (b) => this.#node(op, { b }));
      }
      case "word": {
        const op = assertion.negate ? Op.notEdge : Op.edge;
        return this.#before(next, (b) => this.#node(op, { set: WORDS, b }));
      }
      case "lookahead": {
        const group = conditionOf(assertion);
        if (group !== null) return this.#condition(group, assertion.negate, next);
        if (this.#mode === "mirrored") return this.#anything(next);
        // What matches more inside of a negative one would match less outside.
        if (this.#mode === "forward" && assertion.negate && isInexact(assertion.alternatives))
          return this.#anything(next);
        const body = this.#body(assertion.alternatives, false);
        const plain = groupsOf(assertion.alternatives).length === 0;
        const op = assertion.negate ? Op.notLook : plain ? Op.look : Op.lookInto;
        return this.#before(next, (b) => this.#node(op, { a: body, b }));
      }
      case "lookbehind": {
        const set = this.#mode === "mirrored" ? null : singleSet(assertion.alternatives);
        if (set !== null) {
          const op = assertion.negate ? Op.notAfter : Op.after;
          return this.#before(next, (b) => this.#node(op, { set, b }));
        }
        if (this.#mode !== "steps") return this.#anything(next);
        const body = this.#body(assertion.alternatives, true);
        const op = assertion.negate ? Op.notBehind : Op.behind;
        return this.#before(next, (b) => this.#node(op, { a: body, b }));
      }
    }
  }

  /**
   * A back-reference. The automaton takes the group's pattern, or any text where that depends on the text around it, in its place: it
   * matches more, and misses nothing.
   */
  #backReference({ resolved }: AST.Backreference, isFolded: boolean, next: Place): Place {
    const group = [resolved].flat()[0]!;
    const number = this.#groups.get(group) ?? 0;
    if (this.#mode === "steps") {
      const op = this.#leftwards ? Op.sameBack : isFolded ? Op.sameFolded : Op.same;
      const same = this.#node(op, { number, b: next.taken });
      const isEmpty = this.#node(Op.isEmpty, { number, b: next.idle });
      const first = this.#node(Op.split, { a: same, b: isEmpty });
      return { idle: first, taken: first };
    }
    this.#exact = false;
    if (!isFolded && !dependsOnPlace(group)) return this.#choice(group.alternatives, next);
    const again = this.#node(Op.split, { b: next.taken });
    const byte = this.#node(Op.byte, { set: NOT_NEWLINE, b: again });
    again.a = byte;
    return { taken: again, idle: this.#node(Op.split, { a: byte, b: next.idle }) };
  }

  /** Whether a group took part, which only steps know. */
  #condition(group: AST.CapturingGroup, isNegative: boolean, next: Place): Place {
    if (this.#mode !== "steps") return this.#anything(next);
    const number = this.#groups.get(group) ?? 0;
    const op = isNegative ? Op.notPart : Op.tookPart;
    return this.#before(next, (b) => this.#node(op, { number, b }));
  }

  /** The body of a lookaround. */
  #body(alternatives: readonly AST.Alternative[], leftwards: boolean): Node {
    const outside = this.#leftwards;
    this.#leftwards = leftwards;
    const { idle } = this.#choice(alternatives, { taken: ACCEPT, idle: ACCEPT });
    this.#leftwards = outside;
    return idle;
  }

  /** Replaces an assertion that the automaton cannot check: it matches more, and misses nothing. */
  #anything(next: Place): Place {
    this.#exact = false;
    return next;
  }
}

const FAIL = node(Op.fail);
const ACCEPT = node(Op.accept);

/** The set of a body that is exactly one byte; null for any other body. */
function singleSet(alternatives: readonly AST.Alternative[]): ByteSet | null {
  const set = new ByteSet();
  for (const { elements } of alternatives) {
    const [only, ...more] = elements;
    if (only === undefined || more.length > 0) return null;
    if (only.type === "Character") set.add(only.value);
    else if (only.type === "CharacterSet" || only.type === "CharacterClass") set.addAll(classBytes(only.raw));
    else return null;
  }
  return set;
}

/** The group of a condition, which translate.ts writes as a lookahead of nothing but a back-reference; null for any other lookahead. */
function conditionOf({ alternatives }: AST.LookaheadAssertion): AST.CapturingGroup | null {
  const [only, ...more] = alternatives.length === 1 ? (alternatives[0]?.elements ?? []) : [];
  if (only?.type !== "Backreference" || more.length > 0) return null;
  return [only.resolved].flat()[0] ?? null;
}

/** Whether an automaton matches more than these. */
function isInexact(alternatives: readonly AST.Alternative[]): boolean {
  let found = false;
  const isLookbehind = ({ kind }: AST.Assertion): boolean => kind === "lookbehind";
  for (const one of alternatives)
    visitRegExpAST(one, {
      onBackreferenceEnter: () => (found = true),
      onAssertionEnter: (assertion) => (found ||= isLookbehind(assertion)),
    });
  return found;
}

/** Whether the group's pattern matches other text elsewhere than where it stands. */
function dependsOnPlace(group: AST.CapturingGroup): boolean {
  let found = false;
  visitRegExpAST(group, {
    onAssertionEnter: () => (found = true),
    onBackreferenceEnter: () => (found = true),
  });
  return found;
}

/** All capturing groups, outermost first. */
function groupsOf(within: readonly (AST.Element | AST.Alternative)[]): AST.CapturingGroup[] {
  const groups: AST.CapturingGroup[] = [];
  for (const one of within) visitRegExpAST(one, { onCapturingGroupEnter: (group) => groups.push(group) });
  return groups;
}
