import type { Config } from "../config/config.ts";
import { filterKey } from "../config/filter-key.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { IgnoreList, type OwnAddresses } from "../jail/ignore.ts";
import { Jail } from "../jail/jail.ts";
import type { CompiledFilter } from "../match/filter.ts";
import { LOSS_FILTER } from "../match/loss.ts";
import { createMatcher } from "../match/matcher.ts";
import { localZone, parseTimeZone, type TimeZone } from "../match/timestamp/time-zone.ts";
import type { RunningJail, Wiring } from "./pipeline.ts";

/** Makes the jails of a configuration; those that ran before keep what they have counted. */
export function buildJails(
  config: Config,
  before: readonly RunningJail[],
  own: OwnAddresses,
): readonly RunningJail[] {
  const forAll = new PrefixSet(config.ignoreip);
  return config.jails.map((jailConfig) => {
    const ignore = new IgnoreList(
      [forAll, new PrefixSet(jailConfig.ignoreip)],
      config.ignoreSelf && jailConfig.ignoreSelf ? own : null,
    );
    const there = before.find(({ config: old }) => old.name === jailConfig.name);
    if (there === undefined) return { config: jailConfig, jail: new Jail(jailConfig, ignore) };
    there.jail.reconfigure(jailConfig, ignore);
    return { config: jailConfig, jail: there.jail };
  });
}

/** What each source's lines are looked at for: all filters of its jails in one matcher, each filter once, and LOSS_FILTER. */
export function buildWirings(
  config: Config,
  jails: readonly RunningJail[],
  filters: ReadonlyMap<string, CompiledFilter>,
): ReadonlyMap<string, Wiring> {
  return new Map(
    [...config.sources].map(([name, options]) => {
      const users = jails.filter((running) => running.config.sources.includes(name));
      const byFilter = groupByFilter(users);
      const keys = [...byFilter.keys(), filterKey(LOSS_FILTER)];
      const wiring: Wiring = {
        matcher: createMatcher(keys.map((key) => compiledFilter(key, filters))),
        jails: [...byFilter.values()],
        lossFilter: byFilter.size,
        zone: zoneOf(options.timezone),
      };
      return [name, wiring];
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
