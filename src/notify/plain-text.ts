// Reasons may be a stranger's words: a detector quotes a log, and an attacker chose what stands there.

/** At most so many characters, the last of them `…` when something was cut off; never half a character. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = isHighSurrogate(text.charCodeAt(most - 2)) ? most - 2 : most - 1;
  return `${text.slice(0, end)}…`;
}

/** On one line, without anything that is obeyed instead of shown: controls, marks of direction, halves of characters. */
export function oneLine(text: string): string {
  return text.replace(UNSEEN, spelled);
}

/** As `oneLine`, and so that no chat takes a part of it for the name of somebody, or for a link. */
export function harmless(text: string): string {
  return oneLine(text).replaceAll("@", `@${GAP}`).replaceAll("://", `:${GAP}//`);
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

// Controls, format characters (marks of direction, widthless spaces, tags), separators of lines, halves of surrogate pairs.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

function spelled(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length <= 2 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
