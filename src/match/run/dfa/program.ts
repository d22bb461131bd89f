/**
 * A pattern as a graph of nodes, plain data in flat arrays. A node is alive at a place of a text when it can match the text from there on; the
 * pattern matches where its start is alive. A node has a higher number than all that it leads to without consuming a byte, so
 * one pass from 0 upwards finds the live nodes.
 */
export interface Program {
  readonly op: Uint8Array;
  /** Set, preferred branch, group or body: see Op. */
  readonly a: Uint16Array | Uint32Array;
  /** The next node, or the other branch. */
  readonly b: Uint16Array | Uint32Array;
  readonly start: number;
  /** The class of each byte. No set distinguishes bytes of one class. */
  readonly classOf: Uint8Array;
  readonly classCount: number;
  /** 1 where a set contains a class, at `set * classCount + class`. */
  readonly sets: Uint8Array;
  /** The sets that nodes check for the byte before their place; at most 31 in an automaton. */
  readonly behind: Uint16Array;
  /** The kind of each class. These nodes do not distinguish classes of one kind. */
  readonly kindOf: Uint8Array;
  /** For each kind, the `behind` sets that contain it: bit i for `behind[i]`. */
  readonly masks: Int32Array;
  /** Whether a node can be alive at a place where none is alive one byte on, as when a match may end anywhere. */
  readonly revives: boolean;
  /** Number of capturing groups, without the whole match. */
  readonly groups: number;
  /** False when it matches more than the pattern: then only 'no match' is certain. */
  readonly isExact: boolean;
}

/** A program before `revives` is known. */
export type Graph = Omit<Program, "revives">;

export const Op = {
  /** The end of the pattern, or of a lookaround's body. */
  accept: 0,
  fail: 1,
  /** A byte of the set `a`, then `b`. */
  byte: 2,
  /** `a`, and `b` if that fails. */
  split: 3,
  /** The group `a >> 1` begins, or ends if `a` is odd. */
  save: 4,
  /** Clears the group `a`. */
  clear: 5,
  atStart: 6,
  atEnd: 7,
  /** Exactly one of the bytes on both sides is in `behind[a]`. */
  edge: 8,
  notEdge: 9,
  /** The byte before the place is in `behind[a]`. */
  after: 10,
  notAfter: 11,
  /** The body `a` matches from here on. */
  look: 12,
  notLook: 13,
  /** As `look`; the body has groups. */
  lookInto: 14,
  /** Only in `Programs.steps`: a byte of the set `a` before the place, then `b` one place before. */
  byteBack: 15,
  /** Only in `Programs.steps`: the body `a` matches towards the left from here. */
  behind: 16,
  notBehind: 17,
  /** Only in `Programs.steps`: the text of the group `a`, which is not empty, then `b`. */
  same: 18,
  /** Only in `Programs.steps`: the text of the group `a`, which is not empty, before the place. */
  sameBack: 19,
  /** Only in `Programs.steps`: as `same`, for either case of ASCII letters. */
  sameFolded: 20,
  /** Only in `Programs.steps`: the group `a` took part and is empty. */
  isEmpty: 21,
  /** Only in `Programs.steps`: the group `a` took part. */
  tookPart: 22,
  notPart: 23,
} as const;

/** Both directions of a pattern. */
export interface Programs {
  /** Reads a text from end to start. Says where the pattern matches, and how. */
  readonly forward: Program;
  /** The mirror image of the pattern. Reads from the start, and says quickly that there is no match. */
  readonly mirrored: Program;
  /** The whole pattern for steps/step-search.ts where `forward` is not exact; null where it is. */
  readonly steps: Graph | null;
}
