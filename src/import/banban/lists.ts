import { recent } from "../../enforce/recent/kind.ts";
import { shorten } from "../../schema/shorten.ts";
import { formatDuration } from "../../core/duration.ts";
import { type Duration, FOREVER, HOUR, SECOND } from "../../core/time.ts";
import type { ForeignConfig } from "../foreign-config.ts";
import { Names } from "../names.ts";
import { flow, type Line } from "../yaml-page.ts";
import type { Banban } from "./read-banban.ts";
import { readRecentRules, type RecentUse } from "./recent-rules.ts";

/** A list of xt_recent to which banban writes. */
export interface List {
  /** The kernel's name for it. */
  readonly list: string;
  /** The name of the target. */
  readonly target: string;
  /** Whether connections of its addresses are cut. */
  readonly resets: boolean;
  /** From the firewall's rules; null when no rule is known. */
  readonly use: RecentUse | null;
}

/** The lists of all blocktypes, by the kernel's name. Each list has one target, which makes the list equal to its bans. */
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
      const fact = `connections are cut here too, because ${shorten(other)} has the same list and resetconns`;
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

/** The list as a target. */
export function targetLine({ list, target, resets, use }: List): Line {
  const keys = flow([
    ["enforcer", recent.name],
    ["list", list],
    ["bantime", durationText(bantimeOf(use))],
    ...(resets ? [["reset_connections", true] as const] : []),
  ]);
  if (use === null) keys.comment = " a guess: no rule for the list was found";
  else keys.comment = use.seconds === FOREVER ? " its rule has no --seconds" : " its rule's --seconds";
  return [target, keys];
}

/** Notes on a list. `isKnown` says whether the firewall's rules could be read. */
export function listDifferences({ list, target, use }: List, isKnown: boolean): readonly string[] {
  const bantime = durationText(bantimeOf(use));
  const facts: string[] = [];
  if (use === null) {
    const why = isKnown
      ? "no rule of this machine's firewall checks the list"
      : "the rules of the firewall could not be read";
    facts.push(`${why}, so bantime is a guess (${bantime}): set it to the --seconds of your rule`);
  }
  if ((use?.hitcount ?? 0) > 1)
    facts.push(
      `its rule has --hitcount ${use?.hitcount}, but a ban is written once: remove --hitcount from the rule`,
    );
  if (use?.updates === true)
    facts.push(
      `its rule extends a block with every packet (--update), but Stoplog ends it after ${bantime}: use a longer bantime, or --rcheck in the rule`,
    );
  facts.push(
    `at its start Stoplog removes addresses that it did not ban itself; to keep them, save them first (sed -n 's/^src=\\([^ ]*\\) .*/\\1/p' /proc/net/xt_recent/${list} > ${list}.txt) and ban them afterwards (xargs -r stoplog ban --target ${target} --for ${bantime} < ${list}.txt)`,
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
