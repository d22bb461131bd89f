import { type Graph, Op } from "../dfa/program.ts";

/** The loop of a final `.*`: it matches however a text goes on. */
export const ENDLESS = 2;
/** On the way from there to the end of the match: nothing but ends of groups and `$`. */
export const WAY_OUT = 1;

/** Marks the loops over any byte but LF behind which the pattern ends. */
export function endlessNodes(graph: Graph): Uint8Array {
  const { op, a, b } = graph;
  const marks = new Uint8Array(op.length);
  // A node has a higher number than all that it leads to without consuming a byte.
  for (let node = 0; node < op.length; node++) {
    if (op[node] === Op.accept) marks[node] = WAY_OUT;
    if ((op[node] === Op.save || op[node] === Op.atEnd) && marks[b[node]!] === WAY_OUT) marks[node] = WAY_OUT;
  }
  for (let node = 0; node < op.length; node++) {
    if (op[node] !== Op.split) continue;
    const isLoop = (turn: number, out: number): boolean =>
      marks[out] === WAY_OUT && op[turn] === Op.byte && b[turn] === node && isAnyByte(graph, a[turn]!);
    if (isLoop(a[node]!, b[node]!) || isLoop(b[node]!, a[node]!)) marks[node] = ENDLESS;
  }
  return marks;
}

/** Lines hold no LF. */
function isAnyByte({ sets, classOf, classCount }: Graph, set: number): boolean {
  for (let byte = 0; byte < 256; byte++) {
    if (byte !== LF && sets[set * classCount + classOf[byte]!] !== 1) return false;
  }
  return true;
}

const LF = 10;
