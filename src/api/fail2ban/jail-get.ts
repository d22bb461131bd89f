import { formatPrefix } from "../../core/prefix.ts";
import { type Duration, FOREVER, SECOND } from "../../core/time.ts";
import { isBannedIn } from "./banned.ts";
import type { Command } from "./command.ts";
import { refused } from "./command-error.ts";
import type { JailFacts } from "./host.ts";
import { type Plain, Tuple } from "./plain.ts";

/** `get JAIL WHAT …`; `words` are those after WHAT. */
export function getOfJail(
  jail: JailFacts,
  what: string,
  { host, words, lists }: Command,
): Plain | Promise<Plain> {
  switch (what) {
    case "banned":
      return words.length === 0 ? lists.banned(host, jail.name) : isBannedIn(host, jail.name, words.from(0));
    case "banip":
      return lists.byEnd(host, jail.name, words.length > 0 && words.at(0) === "--with-time");
    default: {
      const value = (VALUES.get(what) ?? (what.startsWith("bantime.") ? growthValue : undefined))?.(
        jail,
        what,
      );
      if (value === undefined) throw refused(`Cannot get ${what}: ${WHY_NOT.get(what) ?? NO_SUCH}`);
      return value;
    }
  }
}

/** Seconds as fail2ban gives them: -1 for permanent. */
export function secondsOf(duration: Duration): number {
  return duration === FOREVER ? -1 : duration / SECOND;
}

export function ignoredTexts({ ignoreip }: JailFacts): readonly string[] {
  return [...new Set(ignoreip.map(formatPrefix))];
}

/** What Stoplog does not have is what fail2ban says when it is not set. */
const VALUES: ReadonlyMap<string, (jail: JailFacts, what: string) => Plain> = new Map(
  Object.entries<(jail: JailFacts, what: string) => Plain>({
    maxretry: ({ maxretry }) => maxretry,
    findtime: ({ findtime }) => secondsOf(findtime),
    bantime: ({ bantime }) => secondsOf(bantime),
    logpath: ({ files }) => files,
    journalmatch: ({ journal }) => journal,
    failregex: ({ failregex }) => failregex,
    ignoreregex: ({ ignoreregex }) => ignoreregex,
    prefregex: ({ prefregex }) => prefregex,
    datepattern: ({ datepattern }) => (datepattern === null ? null : new Tuple([datepattern, datepattern])),
    usedns: ({ usedns }) => (usedns ? "yes" : "no"),
    ignoreip: ignoredTexts,
    ignoreself: ({ ignoreSelf }) => ignoreSelf,
    ignorecommand: () => "",
    ignorecache: () => null,
    logencoding: () => "auto",
    logtimezone: () => null,
    maxlines: () => 1,
    maxmatches: ({ maxretry }) => maxretry,
    idle: () => false,
    actions: ({ targets }) => targets,
  }),
);

const NO_SUCH = "Stoplog has no such setting";
const NO_ACTIONS = "Stoplog's targets have no commands (stoplog rules shows what they do)";
const WHY_NOT: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    action: NO_ACTIONS,
    actionproperties: NO_ACTIONS,
    actionmethods: NO_ACTIONS,
  }),
);

/** `bantime.increment` and the options beside it. */
function growthValue({ growth }: JailFacts, what: string): Plain {
  const option = what.slice("bantime.".length);
  if (option === "increment") return growth !== null;
  if (growth === null) return null;
  switch (option) {
    case "factor":
      return String(growth.factor);
    case "multipliers":
      return growth.multipliers?.join(" ") ?? null;
    case "maxtime":
      return growth.maxtime === null ? null : secondsOf(growth.maxtime);
    case "rndtime":
      return secondsOf(growth.rndtime);
    case "overalljails":
      return growth.overalljails;
    default:
      return null;
  }
}
