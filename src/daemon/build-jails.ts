import type { Config, JailConfig } from "../config/config.ts";
import { LIMITS } from "../core/limits.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { IgnoreList, type OwnAddresses } from "../jail/ignore.ts";
import { Jail, type JailShares } from "../jail/jail.ts";
import type { LiveSessions } from "../jail/live-sessions.ts";
import type { Offences } from "../jail/offences.ts";
import { SharedCount } from "../jail/shared-count.ts";
import type { Trusted } from "../jail/trusted.ts";
import type { IgnoreCommands } from "./ignored/ignore-commands.ts";
import type { IgnoredElsewhere } from "./ignored/ignored-elsewhere.ts";
import type { RunningJail } from "./pipeline.ts";

/** State that jails share, and that a reload keeps. */
export interface JailSurroundings {
  readonly own: OwnAddresses;
  readonly trusted: Trusted;
  /** Missing in a replay, where no user is logged in. */
  readonly sessions?: LiveSessions | undefined;
  /** The names and files of `ignoreip`; missing in a replay. */
  readonly elsewhere?: IgnoredElsewhere | undefined;
  /** The ignore commands; missing in a replay, which runs no program. */
  readonly commands?: IgnoreCommands | undefined;
  /** Earlier bans by jails with `overalljails`. */
  readonly offences: Offences;
}

/** Makes the jails of a configuration. A jail that is also in `before` keeps its counters. */
export function buildJails(
  config: Config,
  before: readonly RunningJail[],
  { own, trusted, sessions, elsewhere, commands, offences }: JailSurroundings,
): readonly RunningJail[] {
  const forAll = [new PrefixSet(config.ignoreip), ...(elsewhere?.sets(config.ignoreFrom) ?? [])];
  const counts = sharedCounts(config, before);
  return config.jails.map((jailConfig) => {
    const ignore = new IgnoreList(
      [...forAll, new PrefixSet(jailConfig.ignoreip), ...(elsewhere?.sets(jailConfig.ignoreFrom) ?? [])],
      config.ignoreSelf && jailConfig.ignoreSelf ? own : null,
      trusted,
      { sessions: sessions ?? null, asked: commands?.of(jailConfig.name) ?? null },
    );
    const shared = jailConfig.countWith === null ? undefined : counts.get(jailConfig.countWith);
    const shares: JailShares = {
      counting: shared?.within(jailConfig.findtime),
      offences: jailConfig.growth?.overalljails === true ? offences : undefined,
    };
    const earlier = before.find(({ config: old }) => old.name === jailConfig.name);
    if (earlier === undefined) return runningJail(jailConfig, new Jail(jailConfig, ignore, shares), shared);
    earlier.jail.reconfigure(jailConfig, ignore, shares);
    return runningJail(jailConfig, earlier.jail, shared);
  });
}

export function runningJail(config: JailConfig, jail: Jail, shared?: SharedCount): RunningJail {
  return { config, jail, shared: shared ?? null, lastTargets: jail.lastTargets };
}

/** One counter for each word after `count_with`. A counter of `before` stays when its options are the same. */
function sharedCounts(config: Config, before: readonly RunningJail[]): ReadonlyMap<string, SharedCount> {
  const names = new Set(config.jails.flatMap(({ countWith }) => countWith ?? []));
  return new Map(
    [...names].map((name) => {
      const jails = config.jails.filter(({ countWith }) => countWith === name);
      const options = {
        keep: Math.max(...jails.map(({ maxretry }) => maxretry)),
        findtime: Math.max(...jails.map(({ findtime }) => findtime)),
        capacity: LIMITS.sharedCounts.value,
      };
      const earlier = before.find((running) => running.config.countWith === name)?.shared ?? null;
      return [name, earlier !== null && earlier.fits(options) ? earlier : new SharedCount(options)];
    }),
  );
}
