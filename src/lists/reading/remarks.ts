import { decodeLine, excerpt } from "../../core/printable.ts";

/** A line of a list that was changed or skipped. Line numbers count from 1. */
export interface Remark {
  /** The file, when the list has several. */
  readonly file?: string;
  readonly line: number;
  /** The line, shortened, with unprintable characters escaped. */
  readonly text: string;
  /** What is wrong and what was done, as a phrase. */
  readonly fact: string;
}

export type RemarkKind = "malformed" | "wide" | "masked";

/** Counts all remarks, and keeps the first of each kind: a list with a million bad lines has a short report. */
export class Remarks {
  readonly counts: Record<RemarkKind, number> = { malformed: 0, wide: 0, masked: 0 };
  readonly told: Remark[] = [];
  readonly #most: number;
  readonly #toldOf: Record<RemarkKind, number> = { malformed: 0, wide: 0, masked: 0 };

  /** Keeps `most` of each kind. */
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
