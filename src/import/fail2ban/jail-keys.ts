import { formatDuration } from "../../core/duration.ts";
import { formatPrefix, parsePrefix } from "../../core/prefix.ts";
import { DAY, type Duration, FOREVER, SECOND } from "../../core/time.ts";
import { HOST_NAME } from "../../schema/values.ts";
import type { Line } from "../yaml-page.ts";
import { growthOf } from "./growth.ts";
import { ignoreCommandOf } from "./ignore-command.ts";
import type { Notes } from "./notes.ts";
import { isFalse, type Jail } from "./read-jails.ts";
import { readTime } from "./seconds.ts";

/** The keys of a jail that say how it counts and bans. `memory` is fail2ban's dbpurgeage. */
export function countingKeys(jail: Jail, memory: Duration, notes: Notes): readonly Line[] {
  return [
    ["maxretry", maxretryOf(jail, notes)],
    ["findtime", timeOf(jail, "findtime", { standard: "10m", most: YEAR }, notes)],
    ["bantime", timeOf(jail, "bantime", { standard: "10m", most: 100 * YEAR }, notes)],
    ...growthOf(jail, memory, notes),
    ...ignoreOf(jail, notes),
    ...ignoreCommandOf(jail, notes),
    ["counting", "scaled"],
    // fail2ban counts and bans single addresses only.
    ["ipv6_prefix", 128],
    ...(isFalse(jail.get("ignoreself")) ? [["ignoreself", false] as const] : []),
    ...(/^(?:yes|warn)$/i.test(jail.get("usedns")?.text.trim() ?? "") ? [["usedns", true] as const] : []),
  ];
}

/** The keys that differ from `common`; resets the keys that only `common` has. */
export function differingKeys(own: readonly Line[], common: readonly Line[]): readonly Line[] {
  const said = new Map(common.map(([key, value]) => [key, JSON.stringify(value)]));
  const names = new Set(own.map(([key]) => key));
  const back = common.flatMap(([key]): Line[] => {
    const without = WITHOUT.get(key);
    return names.has(key) || without === undefined ? [] : [[key, without]];
  });
  return [...own.filter(([key, value]) => said.get(key) !== JSON.stringify(value)), ...back];
}

const YEAR = 365.25 * DAY;

const WITHOUT: ReadonlyMap<string, boolean | readonly string[]> = new Map<
  string,
  boolean | readonly string[]
>([
  ["increment", false],
  ["ignoreip", []],
  ["ignoreself", true],
  ["usedns", false],
]);

/** fail2ban's default. */
const MAXRETRY = 3;

function maxretryOf(jail: Jail, notes: Notes): number {
  const written = jail.get("maxretry");
  if (written === null) return MAXRETRY;
  const number = Number(written.text.trim() || Number.NaN);
  if (Number.isInteger(number) && number >= 1 && number <= 65_535) return number;
  notes.differs(
    jail.title("maxretry"),
    `'${written.text}' is not a number from 1 to 65535: using ${MAXRETRY}`,
    written,
  );
  return MAXRETRY;
}

interface Bounds {
  readonly standard: string;
  readonly most: Duration;
}

function timeOf(
  jail: Jail,
  key: "findtime" | "bantime",
  { standard, most }: Bounds,
  notes: Notes,
): string | number {
  const written = jail.get(key);
  if (written === null) return standard;
  const time = readTime(written.text);
  if (time === FOREVER && key === "bantime") return -1;
  if (time !== null && time >= SECOND && time <= most)
    return formatDuration(Math.round(time / SECOND) * SECOND);
  notes.differs(jail.title(key), `'${written.text}' is not a valid time: using ${standard}`, written);
  return standard;
}

function ignoreOf(jail: Jail, notes: Notes): readonly Line[] {
  const written = jail.get("ignoreip");
  const words = (written?.text ?? "").split(/[\s,]+/).filter(Boolean);
  const found = words.flatMap((word) => {
    const prefix = parsePrefix(withLength(word));
    if (prefix !== null) return formatPrefix(prefix);
    const path = /^file:(?:\/\/)?(\/.+)$/.exec(word)?.[1];
    if (path !== undefined) return `file:${path}`;
    if (HOST_NAME.test(word)) return word;
    const fact = word.startsWith("file:")
      ? "it is not an absolute path: left out"
      : "neither an address nor a host name with a dot: left out";
    notes.differs(jail.title("ignoreip"), `'${word.slice(0, 60)}': ${fact}`, written);
    return [];
  });
  return found.length === 0 ? [] : [["ignoreip", [...new Set(found)]]];
}

/** `192.0.2.0/255.255.255.0` is `192.0.2.0/24`. */
function withLength(word: string): string {
  const [, address = "", mask = ""] = /^(.+)\/(\d+\.\d+\.\d+\.\d+)$/.exec(word) ?? [];
  if (mask === "") return word;
  const bits = mask
    .split(".")
    .map((part) => Number(part).toString(2).padStart(8, "0"))
    .join("");
  return /^1*0*$/.test(bits) && bits.length === 32
    ? `${address}/${bits.indexOf("0") < 0 ? 32 : bits.indexOf("0")}`
    : word;
}
