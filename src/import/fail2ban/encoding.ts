import { type Encoding, ENCODINGS } from "../../match/encoding/encodings.ts";
import type { Line } from "../yaml-page.ts";
import type { Notes } from "./notes.ts";
import type { Jail } from "./read-jails.ts";

/** Converts `logencoding`, a codec of Python's; empty for UTF-8 and auto. */
export function encodingOf(jail: Jail, notes: Notes): readonly Line[] {
  const written = jail.get("logencoding");
  const codec = (written?.text ?? "").trim().toLowerCase().replaceAll("_", "-");
  if (written === null || codec === "") return [];
  const encoding = ALIASES.get(codec) ?? ENCODINGS.find((one) => one === codec);
  if (encoding !== undefined) return encoding === "utf-8" ? [] : [["encoding", encoding]];
  const fact = /^utf-?(?:16|32)/.test(codec)
    ? "Stoplog splits lines at bytes and cannot read it"
    : "not an encoding that Stoplog converts: its lines are taken as UTF-8";
  notes.differs(jail.title("logencoding"), `'${written.text}': ${fact}`, written);
  return [];
}

/** Python's names for these encodings. `auto` is that of the locale, which is UTF-8 today; ASCII is a part of it. */
const ALIASES: ReadonlyMap<string, Encoding> = new Map<string, Encoding>([
  ...["auto", "utf8", "u8", "ascii", "us-ascii", "utf-8-sig"].map((name) => [name, "utf-8"] as const),
  ...["latin1", "l1", "iso-8859-1", "iso8859-1", "8859", "cp819"].map((name) => [name, "latin-1"] as const),
  ...["latin2", "l2", "iso8859-2"].map((name) => [name, "iso-8859-2"] as const),
  ...["cyrillic", "iso8859-5"].map((name) => [name, "iso-8859-5"] as const),
  ...["greek", "greek8", "iso8859-7"].map((name) => [name, "iso-8859-7"] as const),
  ...["latin5", "l5", "iso8859-9"].map((name) => [name, "iso-8859-9"] as const),
  ...["latin9", "l9", "iso8859-15"].map((name) => [name, "iso-8859-15"] as const),
  ...["cp1250", "cp1251", "cp1252"].map(
    (name) => [name, name.replace("cp", "windows-") as Encoding] as const,
  ),
]);
