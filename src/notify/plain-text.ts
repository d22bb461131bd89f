import { printable } from "../core/printable.ts";

// Reasons may be a stranger's words: a detector quotes a log, and an attacker chose what stands there.

/** As `printable`, and so that no chat takes a part of it for the name of somebody, or for a link. */
export function harmless(text: string): string {
  return printable(text).replaceAll("@", `@${GAP}`).replaceAll("://", `:${GAP}//`);
}

/** In code marks, within which Markdown of the usual kinds obeys nothing. */
export function asCode(text: string): string {
  const inner = harmless(text).replaceAll("`", "'");
  return inner.trim() === "" ? "" : `\`${inner}\``;
}

/** So many bytes of UTF-8 at most, cut at the end of a line where that is possible. */
export function clipBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const cut = Buffer.from(text)
    .subarray(0, most - ELLIPSIS_BYTES)
    .toString("utf8")
    .replace(/\ufffd+$/, "");
  const line = cut.lastIndexOf("\n");
  return `${line > cut.length / 2 ? cut.slice(0, line + 1) : cut}…`;
}

/** A space without width. */
const GAP = "\u200b";
const ELLIPSIS_BYTES = 3;
