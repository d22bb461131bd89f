import { formatDuration } from "../../core/duration.ts";
import { DAY, SECOND } from "../../core/time.ts";
import { ForeignConfig } from "../foreign-config.ts";
import type { Imported } from "../imported.ts";
import { Names } from "../names.ts";
import { block, flow, type Line, patternList, patternText, yamlPage } from "../yaml-page.ts";
import { shorten } from "../../config/yaml-tree.ts";
import { type Banban, type Block, readBanban } from "./read-banban.ts";
import { type List, listDifferences, listsOf, targetLine } from "./lists.ts";

/**
 * Makes a stoplog.yaml of banban's configuration. How long a block lasts stands in the rules of the firewall: `rules` is what
 * `iptables-save` prints, or null when nobody knows. Throws a StoplogError when the text cannot be read.
 */
export function importBanban(text: string, file: string, rules: string | null): Imported {
  const config = new ForeignConfig(text, file);
  const banban = readBanban(config);
  const lists = listsOf(banban, config, rules);
  const targets = [...lists.values()];
  const jails = banban.blocks.map((one) => jailOf(one, lists, config));
  const page = yamlPage(headOf(file), [
    ["sources", block([["banban", sourceOf(banban, config)]]), "socket"],
    ["targets", block(targets.map(targetLine)), TARGETS],
    ["defaults", defaultsOf(), DEFAULTS],
    ["jails", block(named([...goodJail(banban), ...jails]))],
    ...ignoreOf(banban),
  ]);
  const differences = [
    ...config.differences,
    ...targets.flatMap((list) => listDifferences(list, rules !== null)),
    ...generalDifferences(banban),
  ];
  return { text: page, differences };
}

function headOf(file: string): string {
  return `What banban does by ${shorten(file)}, made by 'stoplog import banban'. What is not the same was said on standard error.`;
}

const DEFAULT_SOCKET = "/run/stoplog/syslog.sock";

function sourceOf({ socket }: Banban, config: ForeignConfig) {
  if (socket === null) config.differs("socket", `without it, ${DEFAULT_SOCKET} was written instead`, 0);
  return flow([
    ["type", "syslog"],
    ["listen", `unix:${socket ?? DEFAULT_SOCKET}`],
    ["max_line", DATAGRAM],
  ]);
}

/** Bytes of a message that banban reads. */
const DATAGRAM = 4096;

/**
 * The beginning of a line up to the program's name, where what banban's patterns see begins: month, day, time and host, or a time of RFC
 * 3339 and the host.
 */
const PREFIX = String.raw`^(?:[A-Z][a-z][a-z]\s+\d+\s+\d\S*|\d\d\d\d-\S+)\s+\S+\s+<F-CONTENT>.+</F-CONTENT>$`;

const TARGETS =
  "Each list of xt_recent. The rules that look into it are yours, and stay as they are; 'bantime' is their --seconds.";

const DEFAULTS = `One history for each address, which all blocktypes share, and which no ban ends. Patterns see a line from the program's name on.`;

function defaultsOf() {
  return block([
    ["sources", "banban"],
    ["filter", block([["prefregex", patternText(PREFIX)]])],
    ["count_with", "banban"],
  ]);
}

interface Jail {
  readonly wanted: string;
  readonly comment: string;
  readonly keys: readonly Line[];
}

function named(jails: readonly Jail[]): readonly Line[] {
  const names = new Names();
  return jails.map(({ wanted, comment, keys }) => [names.take(wanted), block(keys), comment]);
}

/** Apart from the others and before them, so that a line which is good and bad is both, in this order. */
function goodJail({ goodpatterns }: Banban): readonly Jail[] {
  if (goodpatterns.length === 0) return [];
  const comment =
    "goodpatterns: forget the address and free it in all lists; the jails below still see the line";
  return [
    {
      wanted: "good",
      comment,
      keys: [
        ["on_good", "unban"],
        ["goodregex", patternList(goodpatterns)],
      ],
    },
  ];
}

/** banban remembers ten times, and counts the new one with them. */
const MOST_COUNTED = 11;
const YEAR = 365.25 * DAY;

function jailOf(one: Block, lists: ReadonlyMap<string, List>, config: ForeignConfig): Jail {
  const { name, at, list, minocc, interval, patterns } = one;
  const what = `blocktypes.${shorten(name)}`;
  const never = whyNever(one);
  if (never !== null)
    config.differs(what, `${never}, so it never blocks; the jail is there, with enabled: false`, at);
  const findtime = Math.min(Math.ceil(interval) * SECOND, YEAR);
  if (interval * SECOND > YEAR)
    config.differs(`${what}.interval`, "it is more than a year, the longest findtime", at);
  if (minocc <= 0)
    config.differs(`${what}.minocc`, "it is 0 or missing, which blocks at the first line, as 1 does", at);
  const keys: Line[] = [
    ...(never === null ? [] : [["enabled", false] as const]),
    ["maxretry", Math.min(Math.max(1, Math.ceil(minocc)), 65_535)],
    ...(interval > 0 ? [["findtime", formatDuration(findtime)] as const] : []),
    ["target", lists.get(list)?.target ?? list],
    ["failregex", patternList(patterns)],
  ];
  return { wanted: name, comment: `blocktypes.${shorten(name)}`, keys };
}

function whyNever({ minocc, interval }: Block): string | null {
  if (Math.ceil(minocc) > MOST_COUNTED)
    return `minocc is ${minocc}, but banban counts ${MOST_COUNTED} times at the most`;
  return minocc > 0 && interval <= 0 ? "interval is 0 or missing, and nothing is newer than now" : null;
}

function ignoreOf({ ignorenets }: Banban): readonly Line[] {
  return ignorenets.length === 0 ? [] : [["ignoreip", [...new Set(ignorenets)], "ignorenets"]];
}

function generalDifferences({ goodpatterns }: Banban): readonly string[] {
  return [
    "Bans end when their bantime is over, and the next bad line bans anew: further lines do not prolong them as banban's do",
    "A line counts for as long as interval says, where banban leaves out what is exactly that old",
    "'message repeated 5 times' counts five times",
    "This machine's own addresses and its gateways are never banned, unless ignoreself: false stands in defaults",
    ...(goodpatterns.length === 0 ? [] : ["What you ban by hand stays, whatever goodpatterns say"]),
    "The socket is for root and its group alone (mode 0660): mode, owner and group of the source let others write to it",
  ];
}
