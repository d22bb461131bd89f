import { LIMITS } from "../../core/limits.ts";

/** A part of a file that was skipped for newer bytes. `from` is the start of a line unless `skipping`; `to` is exclusive. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** True when the gap begins in the middle of a line that is too long. */
  readonly skipping: boolean;
}

/** How far reading may fall behind before it skips to the newest bytes, and how many gaps are remembered. */
export interface OverloadRule {
  /** Unread bytes of one file. */
  readonly maxBehind: number;
  /** Gaps of one file. */
  readonly maxGaps: number;
}

export const OVERLOAD: OverloadRule = { maxBehind: LIMITS.behind.value, maxGaps: LIMITS.gaps.value };

/**
 * The offset to skip to when a file grows faster than it is read, or was not read for a long time; null to read on in order.
 *
 *      read │ unread: more than `maxBehind`, and the file still grows
 *      ─────┼────────────── gap ──────────────────┼── newest 64th ──┤
 *                                                 └► reading continues here; it returns to the gap when there is nothing newer
 *
 * Of several gaps the newest is read first. At most `maxGaps` are remembered; one more sheds the oldest. A gap whose file is
 * truncated or gone is shed as well. Shed bytes are counted. A file that stopped growing is read in order: no newer lines are
 * waiting.
 */
export function leapTarget(
  { position, size, grew }: { readonly position: number; readonly size: number; readonly grew: boolean },
  { maxBehind }: OverloadRule,
): number | null {
  if (!grew || size - position <= maxBehind) return null;
  return size - Math.max(1, Math.floor(maxBehind / NEWEST_PART));
}

/** The gaps of one file, in the order of their offsets, which is also their age. */
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

  /** The gap to read next. */
  get newest(): Gap | null {
    return this.#gaps.at(-1) ?? null;
  }

  /** Adds a gap. Returns the bytes of the oldest gap, if it was shed to make room. */
  leave(gap: Gap): number {
    this.#gaps.push(gap);
    this.#bytes += sizeOf(gap);
    const oldest = this.#gaps.length > this.#most ? this.#gaps.shift() : undefined;
    if (oldest === undefined) return 0;
    this.#bytes -= sizeOf(oldest);
    return sizeOf(oldest);
  }

  /** The newest gap was read up to `from`. Removes it when that is its end. */
  advance(from: number, skipping: boolean): void {
    const gap = this.#gaps.pop();
    if (gap === undefined) return;
    this.#bytes -= from - gap.from;
    if (from < gap.to) this.#gaps.push({ from, to: gap.to, skipping });
  }

  /** Removes all gaps; returns their bytes. */
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

/** A leap goes to the newest 64th of `maxBehind`: 1 MiB of 64 MiB. */
const NEWEST_PART = 64;

export function sizeOf({ from, to }: Gap): number {
  return to - from;
}
