import { decodeLine, excerpt } from "../../core/printable.ts";

/** Something in a list that was not taken as it stands. Numbers of lines count from 1. */
export interface Remark {
  /** The file it stands in, when the list has several. */
  readonly file?: string;
  readonly line: number;
  /** The line, shortened, with what is not printable escaped. */
  readonly text: string;
  /** What was wrong, and what was done, as a phrase. */
  readonly fact: string;
}

export type RemarkKind = "malformed" | "wide" | "masked";

/** Counts all remarks, and remembers the first of each kind: a list of a million bad lines makes a short report. */
export class Remarks {
  readonly counts: Record<RemarkKind, number> = { malformed: 0, wide: 0, masked: 0 };
  readonly told: Remark[] = [];
  readonly #most: number;
  readonly #toldOf: Record<RemarkKind, number> = { malformed: 0, wide: 0, masked: 0 };

  /** `most` of each kind are told. */
  constructor(most: number) {
    this.#most = most;
  }

  add(kind: RemarkKind, remark: Omit<Remark, "text">, line: string): void {
    this.counts[kind]++;
    if (this.#toldOf[kind]++ < this.#most)
      this.told.push({ ...remark, text: excerpt(decodeLine(line), LONGEST) });
  }
}

const LONGEST = 60;
