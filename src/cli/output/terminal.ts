import { stripVTControlCharacters } from "node:util";
import type { Io } from "./io.ts";

/** Colours and bold text. Changes nothing without a terminal. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

export type Paint = (text: string) => string;

/** Colour on a terminal, unless NO_COLOR (no-color.org) or TERM=dumb forbid it. */
export function styleFor(io: Pick<Io, "isTTY" | "env">): Style {
  const plain = !io.isTTY || (io.env["NO_COLOR"] ?? "") !== "" || io.env["TERM"] === "dumb";
  const paint = (on: number, off: number): Paint =>
    plain ? (text) => text : (text) => (text === "" ? "" : `\x1b[${on}m${text}\x1b[${off}m`);
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}

/** A column's heading and alignment; numbers are aligned right. */
export interface Column {
  readonly heading: string;
  readonly right?: boolean;
}

/**
 * The lines of a table, heading first. Cells are printable text, in any colour; the last column is not padded. Reads `rows` twice, once
 * to measure: a table of a million rows is never in memory.
 */
export function* table(
  columns: readonly Column[],
  rows: Iterable<readonly string[]>,
  style: Style,
): Generator<string> {
  const widths = columns.map((column) => displayWidth(column.heading));
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      widths[i] = Math.max(widths[i] ?? 0, displayWidth(row[i] ?? ""));
    }
  }
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        pad(
          cell,
          i === cells.length - 1 && columns[i]?.right !== true ? 0 : (widths[i] ?? 0),
          columns[i]?.right === true,
        ),
      )
      .join("  ")
      .trimEnd();
  yield line(columns.map((column) => style.bold(column.heading)));
  for (const row of rows) yield line(row);
}

/** The width of a text in terminal cells: wide characters take two, combining marks and colours none. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    width += ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  }
  return width;
}

const PLAIN = /^[\x20-\x7e]*$/;
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
// An approximation of Unicode's East Asian Width W and F, by script and emoji.
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;

function pad(cell: string, width: number, right: boolean): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(cell)));
  return right ? blanks + cell : cell + blanks;
}
