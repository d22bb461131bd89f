import { localTime } from "../../api/fail2ban/local-time.ts";

/** How Python's `print` shows a value of an answer; JSON has no tuples. */
export function printed(value: unknown): string {
  return typeof value === "string" ? value : repr(value);
}

/** As Python's `repr`. */
export function repr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value !== "object") return typeof value;
  const pairs = Object.entries(value).map(([key, part]) => `${quoted(key)}: ${repr(part)}`);
  return `{${pairs.join(", ")}}`;
}

/** A tuple of values: `('a',)`, `('a', 1)`. */
export function reprTuple(values: readonly unknown[]): string {
  return values.length === 1 ? `(${repr(values[0])},)` : `(${values.map(repr).join(", ")})`;
}

/** Python prefers single quotes, unless only they are in the text. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);
  return `${quote}${escaped.replaceAll(quote, `\\${quote}`)}${quote}`;
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A time as Python's log writes it: `2026-11-20 14:44:48,123`, by the machine's zone. */
export function localMilliseconds(at: number): string {
  return `${localTime(at)},${String(new Date(at).getMilliseconds()).padStart(3, "0")}`;
}
