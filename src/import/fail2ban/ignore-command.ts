import { formatDuration } from "../../core/duration.ts";
import { SECOND } from "../../core/time.ts";
import type { Line } from "../yaml-page.ts";
import type { Notes } from "./notes.ts";
import { parseCall } from "./options.ts";
import type { Jail } from "./read-jails.ts";
import { readTime } from "./seconds.ts";

/**
 * Converts `ignorecommand` and `ignorecache`. fail2ban gives the command to a shell: one that needs none becomes a list of words, any other is
 * given to a shell with its tags as arguments.
 */
export function ignoreCommandOf(jail: Jail, notes: Notes): readonly Line[] {
  const written = jail.get("ignorecommand");
  const text = written?.text.trim() ?? "";
  if (text === "") return [];
  const words = /[^\w./:=,@%+\s<>-]/.test(text.replace(TAG, "")) ? inShell(text) : inWords(text);
  if (words !== null) return [["ignorecommand", words], ...cacheOf(jail, notes)];
  const fact = "it has tags other than <ip>, <fid>, <family> and <name>, or one in quotes: left out";
  notes.differs(jail.title("ignorecommand"), fact, written);
  return [];
}

const TAG = /<(ip|fid|F-ID|family|name)>/g;

/** What each tag is here. */
const FILLED: Readonly<Record<string, string>> = {
  ip: "{address}",
  fid: "{address}",
  "F-ID": "{address}",
  family: "{family}",
  name: "{jail}",
};

function inWords(text: string): readonly string[] | null {
  const words = text.split(/\s+/).map((word) => word.replace(TAG, (_, tag: string) => FILLED[tag] ?? ""));
  return words.some((word) => /[<>]/.test(word)) ? null : words;
}

function inShell(text: string): readonly string[] | null {
  const values: string[] = [];
  const script = text.replace(TAG, (_, tag: string) => {
    const value = FILLED[tag] ?? "";
    if (!values.includes(value)) values.push(value);
    return `"$${values.indexOf(value) + 1}"`;
  });
  // Within quotes, "$1" would be something else.
  if (/["'][^"'\s]*"\$|"\$\d"[^"'\s]*["']/.test(script) || /'[^']*"\$\d"[^']*'/.test(script)) return null;
  return /<[A-Za-z][\w-]*>/.test(script) ? null : ["/bin/sh", "-c", script, "sh", ...values];
}

/** Without it fail2ban asks at every failure; here answers are always remembered. */
function cacheOf(jail: Jail, notes: Notes): readonly Line[] {
  const written = jail.get("ignorecache");
  if (written === null || written.text.trim() === "") return [];
  const options = parseCall(`cache[${written.text.trim()}]`)?.options;
  const key = options?.get("key") ?? "<ip>";
  if (!/^<(?:ip|fid|F-ID)>$/.test(key))
    notes.differs(
      jail.title("ignorecache"),
      `the key '${key}' is not used: answers are kept by address`,
      written,
    );
  const time = readTime(options?.get("max-time") ?? "5m");
  return time === null || time < SECOND ? [] : [["ignorecache", formatDuration(time)]];
}
