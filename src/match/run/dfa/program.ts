/**
 * A pattern as a graph of nodes, plain data in flat arrays. A node is alive at a place of a text when the rest of the text can be
 * matched from it on; the pattern matches at a place where its start is alive. Nodes are numbered so that whatever a node
 * leads to without taking a byte has a smaller number: one pass from 0 upwards says which are alive.
 */
export interface Program {
  readonly op: Uint8Array;
  /** Set, preferred branch, group or body: see Op. */
  readonly a: Uint16Array;
  /** The node that comes next, or the other branch. */
  readonly b: Uint16Array;
  readonly start: number;
  /** The class of each byte: bytes of one class are the same to all sets. */
  readonly classOf: Uint8Array;
  readonly classCount: number;
  /** Whether a set holds a class: `sets[set * classCount + class]`. */
  readonly sets: Uint8Array;
  /** The sets that some node asks about the byte before its place; at most 31. */
  readonly behind: Uint16Array;
  /** Classes that look alike to such nodes are of one kind. */
  readonly kindOf: Uint8Array;
  /** For each kind, which of the `behind` sets hold it: bit i for `behind[i]`. */
  readonly masks: Int32Array;
  /** Whether something can come alive where nothing is, as it does when a match may end anywhere. */
  readonly revives: boolean;
  /** Capturing groups, the whole match not counted. */
  readonly groups: number;
  /** False when it matches more than the pattern does: its 'no' is one, its 'yes' is not. */
  readonly isExact: boolean;
}

/** A program of which one thing is not known yet. */
export type Graph = Omit<Program, "revives">;

export const Op = {
  /** The end of the pattern, or of a lookaround's body. */
  accept: 0,
  fail: 1,
  /** A byte of the set `a`, then `b`. */
  byte: 2,
  /** `a`, and if that comes to nothing `b`. */
  split: 3,
  /** The group `a >> 1` begins, or ends if `a` is odd. */
  save: 4,
  /** The group `a` has not taken part. */
  clear: 5,
  atStart: 6,
  atEnd: 7,
  /** On just one side stands a byte of the set `behind[a]`. */
  edge: 8,
  notEdge: 9,
  /** The byte before is in `behind[a]`. */
  after: 10,
  notAfter: 11,
  /** From here on the body `a` matches. */
  look: 12,
  notLook: 13,
  /** The same, and the body holds groups. */
  lookInto: 14,
} as const;

/** Both directions of a pattern. */
export interface Programs {
  /** Read from a text's end to its beginning, it tells at which places the pattern matches, and how. */
  readonly forward: Program;
  /** The pattern's mirror image, read from the beginning on: tells quickly where there is nothing. */
  readonly mirrored: Program;
}
