import { stripVTControlCharacters } from "node:util";
import type { Io } from "./io.ts";

/** Makes text stand out; on anything but a terminal that wants colour it changes nothing. */
export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

export type Paint = (text: string) => string;

/** Colour only on a terminal, and not where NO_COLOR (no-color.org) or TERM=dumb forbid it. */
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

/** A column's heading, and the side its cells lean on; numbers lean right. */
export interface Column {
  readonly heading: string;
  readonly right?: boolean;
}

/**
 * Lines of a table, its heading first. Cells are text that is safe to print, in any colour; the last column is not padded.
 * `rows` is walked twice, once to measure, so a table of a million rows takes no memory of its own.
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

/** How many cells of a terminal the text takes: wide characters two, combining marks and colours none. */
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
// Unicode's East Asian Width W and F, as far as scripts and emoji tell it.
const WIDE =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]$/u;

function pad(cell: string, width: number, right: boolean): string {
  const blanks = " ".repeat(Math.max(0, width - displayWidth(cell)));
  return right ? blanks + cell : cell + blanks;
}
