import { recent } from "../../enforce/recent/kind.ts";
import { shorten } from "../../config/yaml-tree.ts";
import { formatDuration } from "../../core/duration.ts";
import { type Duration, FOREVER, HOUR, SECOND } from "../../core/time.ts";
import type { ForeignConfig } from "../foreign-config.ts";
import { Names } from "../names.ts";
import { flow, type Line } from "../yaml-page.ts";
import type { Banban } from "./read-banban.ts";
import { readRecentRules, type RecentUse } from "./recent-rules.ts";

/** A list of xt_recent that banban writes to. */
export interface List {
  /** The kernel's name of it. */
  readonly list: string;
  /** Our target's name. */
  readonly target: string;
  /** Whether connections of those in it are cut. */
  readonly resets: boolean;
  /** What the rules say of it; null when none is known. */
  readonly use: RecentUse | null;
}

/** The lists of all blocktypes, by the kernel's name. A list is one target's alone, since the target keeps it as its bans are. */
export function listsOf(
  { blocks }: Banban,
  config: ForeignConfig,
  rules: string | null,
): ReadonlyMap<string, List> {
  const uses = readRecentRules(rules ?? "");
  const names = new Names();
  const resetting = new Map<string, string>();
  for (const { list, name, resetconns } of blocks) if (resetconns) resetting.set(list, name);
  const lists = new Map<string, List>();
  for (const { name, at, list, resetconns } of blocks) {
    const other = resetting.get(list);
    if (other !== undefined && !resetconns) {
      const fact = `connections are cut here too, since ${shorten(other)} has the same list and wants it`;
      config.differs(`blocktypes.${shorten(name)}.resetconns`, fact, at);
    }
    if (lists.has(list)) continue;
    lists.set(list, {
      list,
      target: names.take(list),
      resets: other !== undefined,
      use: uses.get(list) ?? null,
    });
  }
  return lists;
}

/** The list as a target of a stoplog.yaml. */
export function targetLine({ list, target, resets, use }: List): Line {
  const keys = flow([
    ["enforcer", recent.name],
    ["list", list],
    ["bantime", durationText(bantimeOf(use))],
    ...(resets ? [["reset_connections", true] as const] : []),
  ]);
  if (use === null) keys.comment = " no rule for it was found: this is a guess";
  else keys.comment = use.seconds === FOREVER ? " its rule has no --seconds" : " its rule's --seconds";
  return [target, keys];
}

/** What is to be known of a list; `isKnown` is whether rules could be read at all. */
export function listDifferences({ list, target, use }: List, isKnown: boolean): readonly string[] {
  const bantime = durationText(bantimeOf(use));
  const facts: string[] = [];
  if (use === null) {
    const why = isKnown
      ? "no rule of this machine's firewall looks into the list"
      : "the rules of the firewall could not be read";
    facts.push(`${why}, so its bantime is a guess (${bantime}): make it the --seconds of your rule`);
  }
  if ((use?.hitcount ?? 0) > 1)
    facts.push(
      `its rule wants --hitcount ${use?.hitcount}, but a ban is written once: take it out of the rule`,
    );
  if (use?.updates === true)
    facts.push(
      `its rule prolongs a block by each packet (--update), but Stoplog ends it after ${bantime}: make that longer, or the rule --rcheck`,
    );
  facts.push(
    `at its start Stoplog takes out whom it has not banned itself; to keep them, save them first (sed -n 's/^src=\\([^ ]*\\) .*/\\1/p' /proc/net/xt_recent/${list} > ${list}.txt) and ban them afterwards (xargs -r stoplog ban --target ${target} --for ${bantime} < ${list}.txt)`,
  );
  return facts.map((fact) => `Target ${target}: ${fact}`);
}

const UNKNOWN: Duration = HOUR;

function bantimeOf(use: RecentUse | null): Duration {
  return use === null ? UNKNOWN : Math.max(use.seconds, SECOND);
}

function durationText(duration: Duration): string | number {
  return duration === FOREVER ? -1 : formatDuration(duration);
}
