import { formatDuration } from "../../core/duration.ts";
import { DAY, SECOND } from "../../core/time.ts";
import { ForeignConfig } from "../foreign-config.ts";
import type { Imported } from "../imported.ts";
import { Names } from "../names.ts";
import { block, flow, type Line, patternList, patternText, yamlPage } from "../yaml-page.ts";
import { shorten } from "../../schema/shorten.ts";
import { type Banban, type Block, readBanban } from "./read-banban.ts";
import { type List, listDifferences, listsOf, targetLine } from "./lists.ts";

/**
 * Converts banban's configuration to a stoplog.yaml. `rules` is the output of `iptables-save`, from which it takes how long a block lasts;
 * null when that is unknown. Throws a StoplogError when the text cannot be read.
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
  return `What banban does according to ${shorten(file)}, made by 'stoplog import banban'. Differences were printed on standard error.`;
}

const DEFAULT_SOCKET = "/run/stoplog/syslog.sock";

function sourceOf({ socket }: Banban, config: ForeignConfig) {
  if (socket === null) config.differs("socket", `missing: using ${DEFAULT_SOCKET}`, 0);
  return flow([
    ["type", "syslog"],
    ["listen", `unix:${socket ?? DEFAULT_SOCKET}`],
    ["max_line", DATAGRAM],
  ]);
}

/** Bytes of a message that banban reads at most. */
const DATAGRAM = 4096;

/** The start of a line, which banban removes before its patterns: month, day, time and host, or a time of RFC 3339 and the host. */
const PREFIX = String.raw`^(?:[A-Z][a-z][a-z]\s+\d+\s+\d\S*|\d\d\d\d-\S+)\s+\S+\s+<F-CONTENT>.+</F-CONTENT>$`;

const TARGETS =
  "One for each list of xt_recent. Your firewall rules that check the lists stay unchanged; 'bantime' is their --seconds.";

const DEFAULTS = `All blocktypes share one history per address, and a ban does not end it. Patterns see a line from the program's name on.`;

function defaultsOf() {
  return block([
    ["sources", "banban"],
    ["filter", block([["prefregex", patternText(PREFIX)]])],
    ["count_with", "banban"],
  ]);
}

interface Jail {
  readonly name: string;
  readonly comment: string;
  readonly keys: readonly Line[];
}

function named(jails: readonly Jail[]): readonly Line[] {
  const names = new Names();
  return jails.map(({ name, comment, keys }) => [names.take(name), block(keys), comment]);
}

/** A jail of its own before all others: a line that is good and bad counts as both, in this order. */
function goodJail({ goodpatterns }: Banban): readonly Jail[] {
  if (goodpatterns.length === 0) return [];
  const comment =
    "goodpatterns: forget the address and unban it in all lists; the jails below still see the line";
  return [
    {
      name: "good",
      comment,
      keys: [
        ["on_good", "unban"],
        ["forgive", "always"],
        ["goodregex", patternList(goodpatterns)],
      ],
    },
  ];
}

/** banban keeps ten times per address and adds the current line. */
const MOST_COUNTED = 11;
const YEAR = 365.25 * DAY;

function jailOf(one: Block, lists: ReadonlyMap<string, List>, config: ForeignConfig): Jail {
  const { name, at, list, minocc, interval, patterns } = one;
  const what = `blocktypes.${shorten(name)}`;
  const never = whyNever(one);
  if (never !== null) config.differs(what, `${never}, so it never blocks; its jail has enabled: false`, at);
  const findtime = Math.min(Math.ceil(interval) * SECOND, YEAR);
  if (interval * SECOND > YEAR)
    config.differs(`${what}.interval`, "longer than a year, the longest findtime", at);
  if (minocc <= 0) config.differs(`${what}.minocc`, "0 or missing blocks at the first line, as 1 does", at);
  const keys: Line[] = [
    ...(never === null ? [] : [["enabled", false] as const]),
    ["maxretry", Math.min(Math.max(1, Math.ceil(minocc)), 65_535)],
    ...(interval > 0 ? [["findtime", formatDuration(findtime)] as const] : []),
    ["target", lists.get(list)?.target ?? list],
    ["failregex", patternList(patterns)],
  ];
  return { name, comment: `blocktypes.${shorten(name)}`, keys };
}

function whyNever({ minocc, interval }: Block): string | null {
  if (Math.ceil(minocc) > MOST_COUNTED)
    return `minocc is ${minocc}, but banban counts to ${MOST_COUNTED} at most`;
  return minocc > 0 && interval <= 0 ? "interval is 0 or missing, so no line is recent enough" : null;
}

function ignoreOf({ ignorenets }: Banban): readonly Line[] {
  return ignorenets.length === 0 ? [] : [["ignoreip", [...new Set(ignorenets)], "ignorenets"]];
}

function generalDifferences({ goodpatterns }: Banban): readonly string[] {
  return [
    "Bans end after bantime, and the next bad line bans again: further lines do not extend them as in banban",
    "A line counts for the whole interval, where banban excludes lines of exactly that age",
    "'message repeated 5 times' counts five times",
    "This machine's own addresses and its gateways are never banned, unless defaults has ignoreself: false",
    ...(goodpatterns.length === 0 ? [] : ["goodpatterns do not end bans that you made by hand"]),
    "Only root and its group can write to the socket (mode 0660): set mode, owner and group of the source to allow others",
  ];
}
