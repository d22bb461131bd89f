import { type Graph, Op as Ops } from "./program.ts";

/** What surrounds a place in a text. */
export interface Surroundings {
  /** The class of the byte behind the place; -1 at the end of the text. */
  byteClass: number;
  /** Bit i: the byte before the place is in `behind[i]`. */
  mask: number;
  isStart: boolean;
}

/** Writes to `alive` which nodes are alive at a place. `next` says so for the place one byte on; it is not read at the end of the text. */
export function markAlive(
  { op, a, b, sets, classCount, behind }: Graph,
  { byteClass, mask, isStart }: Surroundings,
  next: Uint8Array,
  alive: Uint8Array,
): void {
  const isEnd = byteClass < 0;
  for (let i = 0; i < op.length; i++) {
    const first = a[i]!;
    const then = b[i]!;
    switch (op[i]) {
      case Op.accept:
        alive[i] = 1;
        break;
      case Op.fail:
        alive[i] = 0;
        break;
      case Op.byte:
        alive[i] = isEnd ? 0 : sets[first * classCount + byteClass]! & next[then]!;
        break;
      case Op.split:
        alive[i] = alive[first]! | alive[then]!;
        break;
      case Op.atStart:
        alive[i] = isStart ? alive[then]! : 0;
        break;
      case Op.atEnd:
        alive[i] = isEnd ? alive[then]! : 0;
        break;
      case Op.edge:
        alive[i] =
          alive[then]! &
          (((mask >>> first) & 1) ^ (isEnd ? 0 : sets[behind[first]! * classCount + byteClass]!));
        break;
      case Op.notEdge:
        alive[i] =
          alive[then]! &
          (1 ^ ((mask >>> first) & 1) ^ (isEnd ? 0 : sets[behind[first]! * classCount + byteClass]!));
        break;
      case Op.after:
        alive[i] = alive[then]! & (mask >>> first);
        break;
      case Op.notAfter:
        alive[i] = alive[then]! & ~(mask >>> first);
        break;
      case Op.look:
      case Op.lookInto:
        alive[i] = alive[first]! & alive[then]!;
        break;
      case Op.notLook:
        alive[i] = alive[then]! & ~alive[first]!;
        break;
      default:
        alive[i] = alive[then]!;
    }
  }
}

/** Whether the live nodes can make a node alive at the place one byte before. */
export function leadsOn({ op, b, start }: Graph, alive: Uint8Array): boolean {
  if (alive[start] === 1) return true;
  for (let i = 0; i < op.length; i++) if (op[i] === Op.byte && alive[b[i]!] === 1) return true;
  return false;
}

/** A local name: where modules are not bundled, as in tests, each use of an imported name is a call. */
const Op = Ops;
