/** Encodings of logs, by our name: one byte a character, ASCII below 128. Lines are split at the byte LF, so UTF-16 and the like cannot be read. */
export const ENCODINGS = [
  "utf-8",
  "ascii",
  "latin-1",
  "iso-8859-2",
  "iso-8859-5",
  "iso-8859-7",
  "iso-8859-9",
  "iso-8859-15",
  "windows-1250",
  "windows-1251",
  "windows-1252",
  "koi8-r",
] as const;

export type Encoding = (typeof ENCODINGS)[number];

/** The bytes above 127 as UTF-8, by byte minus 128; null for an encoding whose lines are taken as they are. */
export function highBytes(encoding: Encoding): readonly Uint8Array[] | null {
  if (encoding === "utf-8" || encoding === "ascii") return null;
  return Array.from(highText(encoding), (character) => Buffer.from(character, "utf8"));
}

function highText(encoding: Encoding): string {
  const bytes = Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i));
  // For TextDecoder both names mean the same, and some versions of Node.js decode neither as the standard says.
  if (encoding === "latin-1") return bytes.toString("latin1");
  if (encoding === "windows-1252") return WINDOWS_1252 + bytes.toString("latin1", 32);
  return new TextDecoder(encoding).decode(bytes);
}

/** From byte 128 to 159. */
const WINDOWS_1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";
