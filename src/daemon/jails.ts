import type { Config, JailConfig } from "../config/config.ts";
import { filterKey } from "../config/filter-key.ts";
import { LIMITS } from "../core/limits.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { IgnoreList, type OwnAddresses } from "../jail/ignore.ts";
import { Jail, type JailShares } from "../jail/jail.ts";
import type { Offences } from "../jail/offences.ts";
import { SharedCount } from "../jail/shared-count.ts";
import type { Trusted } from "../jail/trusted.ts";
import type { CompiledFilter } from "../match/filter/filter.ts";
import { LOSS_FILTER } from "../match/loss.ts";
import { createMatcherInSteps } from "../match/matcher.ts";
import { compileSelection } from "../match/packet/selector.ts";
import { localZone, parseTimeZone, type TimeZone } from "../match/time/time-zone.ts";
import type { PacketWiring } from "./packet-flow.ts";
import type { RunningJail, Wiring } from "./pipeline.ts";

/** What outlives the jails of one configuration. */
export interface JailSurroundings {
  readonly own: OwnAddresses;
  readonly trusted: Trusted;
  /** Who was banned before by any jail with `overalljails`. */
  readonly offences: Offences;
}

/** Makes the jails of a configuration; those that ran before keep what they have counted. */
export function buildJails(
  config: Config,
  before: readonly RunningJail[],
  { own, trusted, offences }: JailSurroundings,
): readonly RunningJail[] {
  const forAll = new PrefixSet(config.ignoreip);
  const counts = sharedCounts(config, before);
  return config.jails.map((jailConfig) => {
    const ignore = new IgnoreList(
      [forAll, new PrefixSet(jailConfig.ignoreip)],
      config.ignoreSelf && jailConfig.ignoreSelf ? own : null,
      trusted,
    );
    const shared = jailConfig.countWith === null ? undefined : counts.get(jailConfig.countWith);
    const shares: JailShares = {
      counting: shared?.within(jailConfig.findtime),
      offences: jailConfig.growth?.overalljails === true ? offences : undefined,
    };
    const there = before.find(({ config: old }) => old.name === jailConfig.name);
    if (there === undefined) return runningJail(jailConfig, new Jail(jailConfig, ignore, shares), shared);
    there.jail.reconfigure(jailConfig, ignore, shares);
    return runningJail(jailConfig, there.jail, shared);
  });
}

export function runningJail(config: JailConfig, jail: Jail, shared?: SharedCount): RunningJail {
  return { config, jail, shared: shared ?? null, lastTargets: jail.lastTargets };
}

/** One for each word after `count_with`; what was counted under the same word stays when nothing about it changes. */
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
      const there = before.find((running) => running.config.countWith === name)?.shared ?? null;
      return [name, there !== null && there.fits(options) ? there : new SharedCount(options)];
    }),
  );
}

/** What each source's lines are looked at for: all filters of its jails in one matcher, each filter once, and LOSS_FILTER. */
export async function buildWirings(
  config: Config,
  jails: readonly RunningJail[],
  filters: ReadonlyMap<string, CompiledFilter>,
): Promise<ReadonlyMap<string, Wiring>> {
  const wirings = new Map<string, Wiring>();
  for (const [name, options] of config.sources) {
    if (options.type === "nflog") continue;
    const users = jails.filter((running) => running.config.sources.includes(name));
    const byFilter = groupByFilter(users);
    const keys = [...byFilter.keys(), filterKey(LOSS_FILTER)];
    wirings.set(name, {
      matcher: await createMatcherInSteps(keys.map((key) => compiledFilter(key, filters))),
      jails: [...byFilter.values()],
      lossFilter: byFilter.size,
      zone: zoneOf(options.timezone),
    });
  }
  return wirings;
}

/** Which of each source's packets count, and for which jails. */
export function buildPacketWirings(
  config: Config,
  jails: readonly RunningJail[],
): ReadonlyMap<string, PacketWiring> {
  return new Map(
    [...config.sources]
      .filter(([, { type }]) => type === "nflog")
      .map(([name]) => {
        const users = jails.filter((running) => running.config.sources.includes(name));
        const wired = users.map((running) => ({
          running,
          selects: compileSelection(running.config.packets ?? {}),
        }));
        return [name, { jails: wired }];
      }),
  );
}

/** The configuration was checked: a name that is none cannot come here, and would read as local time. */
function zoneOf(name: string | undefined): TimeZone {
  return (name === undefined ? null : parseTimeZone(name)) ?? localZone();
}

function groupByFilter(users: readonly RunningJail[]): Map<string, RunningJail[]> {
  const groups = new Map<string, RunningJail[]>();
  for (const running of users) {
    if (running.config.filter === null) continue;
    const key = filterKey(running.config.filter);
    groups.set(key, [...(groups.get(key) ?? []), running]);
  }
  return groups;
}

function compiledFilter(key: string, filters: ReadonlyMap<string, CompiledFilter>): CompiledFilter {
  const filter = filters.get(key);
  if (filter === undefined) throw new Error(`the configuration was read without its filter ${key}`);
  return filter;
}
