import { printable } from "../core/printable.ts";

// Reasons can contain hostile text: a detector quotes log lines, which attackers write.

/** As `printable`, and no chat service sees a mention or a link in it. */
export function harmless(text: string): string {
  return printable(text).replaceAll("@", `@${GAP}`).replaceAll("://", `:${GAP}//`);
}

/** In code marks: common Markdown dialects interpret nothing inside. */
export function asCode(text: string): string {
  const inner = harmless(text).replaceAll("`", "'");
  return inner.trim() === "" ? "" : `\`${inner}\``;
}

/** At most so many bytes of UTF-8, cut at the end of a line if possible. */
export function clipBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const cut = Buffer.from(text)
    .subarray(0, most - ELLIPSIS_BYTES)
    .toString("utf8")
    .replace(/\ufffd+$/, "");
  const line = cut.lastIndexOf("\n");
  return `${line > cut.length / 2 ? cut.slice(0, line + 1) : cut}…`;
}

/** Zero-width space. */
const GAP = "\u200b";
const ELLIPSIS_BYTES = 3;
