import { LIMITS } from "../../core/limits.ts";

/** Bytes of a file that newer ones have overtaken: `from` is where a line begins, unless `skipping`, `to` is not in it. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** True when it begins in the middle of a line that was too long. */
  readonly skipping: boolean;
}

/** How much may be behind before the newest goes first, and how much of what was left is remembered. */
export interface OverloadRule {
  /** Bytes unread. */
  readonly maxBehind: number;
  /** Gaps of one file. */
  readonly maxGaps: number;
}

export const OVERLOAD: OverloadRule = { maxBehind: LIMITS.behind.value, maxGaps: LIMITS.gaps.value };

/**
 * What happens when a file is written faster than it is read, or was long not read at all:
 *
 *      read │ unread, more than `maxBehind`, and the file grows still
 *      ─────┼────────────── gap ──────────────────┼── newest 64th ──┤
 *                                                 └► goes on here; comes back for the gap when there is nothing newer
 *
 * Of several gaps the newest comes first. Only `maxGaps` are remembered: one more, and the oldest is shed; a gap whose
 * file is cut or gone is shed as well. What is shed is counted in bytes. Whoever does not grow any more is read in its order:
 * nothing newer would be waiting.
 */
export function leapTarget(
  { position, size, grew }: { readonly position: number; readonly size: number; readonly grew: boolean },
  { maxBehind }: OverloadRule,
): number | null {
  if (!grew || size - position <= maxBehind) return null;
  return size - Math.max(1, Math.floor(maxBehind / NEWEST_PART));
}

/** The gaps of one file, which lie one behind the other and were left in this order. */
export class Gaps {
  readonly #most: number;
  /** Oldest first. */
  readonly #gaps: Gap[] = [];
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes in all gaps. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next to read. */
  get newest(): Gap | null {
    return this.#gaps.at(-1) ?? null;
  }

  /** Leaves a gap for later; answers how many bytes of the oldest are shed for it. */
  leave(gap: Gap): number {
    this.#gaps.push(gap);
    this.#bytes += sizeOf(gap);
    const oldest = this.#gaps.length > this.#most ? this.#gaps.shift() : undefined;
    if (oldest === undefined) return 0;
    this.#bytes -= sizeOf(oldest);
    return sizeOf(oldest);
  }

  /** The newest was read up to `from`; it is no more when that is its end. */
  advance(from: number, skipping: boolean): void {
    const gap = this.#gaps.pop();
    if (gap === undefined) return;
    this.#bytes -= from - gap.from;
    if (from < gap.to) this.#gaps.push({ from, to: gap.to, skipping });
  }

  /** Forgets all; answers their bytes. */
  shed(): number {
    const shed = this.#bytes;
    this.#gaps.length = 0;
    this.#bytes = 0;
    return shed;
  }

  save(): readonly Gap[] {
    return [...this.#gaps];
  }
}

/** Of what may be behind, this part is kept at a leap: 1 MiB of 64. */
const NEWEST_PART = 64;

export function sizeOf({ from, to }: Gap): number {
  return to - from;
}
