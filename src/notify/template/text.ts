import { clip } from "../../core/printable.ts";
import type { Message } from "../message.ts";
import { asCode, harmless } from "../plain-text.ts";
import { linesOf, titleOf } from "../wording.ts";

// Texts for chat services. What Stoplog did not write itself is in code marks where the service knows Markdown.

/** Markdown of at most `most` characters. Lines that do not fit are left out as a whole, so that every code mark is closed. */
export function markdown(message: Message, most: number): string {
  const title = harmless(titleOf(message)).replace(/[`*_~|\\<>[\]]/g, " ");
  const lines = linesOf(message, (text) => asCode(clip(text, 300)));
  let text = title;
  for (const [n, line] of lines.entries()) {
    if (text.length + line.length + 1 > most) return `${text}\n… (${lines.length - n} lines more)`;
    text += `\n${line}`;
  }
  return text;
}

/** Title and lines as plain text. */
export function plain(message: Message): string {
  return [harmless(titleOf(message)), ...linesOf(message, harmless)].join("\n");
}
