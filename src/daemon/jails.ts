import type { Config, JailConfig } from "../config/config.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { IgnoreList, type OwnAddresses } from "../jail/ignore.ts";
import { Jail } from "../jail/jail.ts";
import { type CompiledFilter, compileFilter } from "../match/filter.ts";
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

/** What each source's lines are looked at for: all filters of its jails in one matcher, each filter once. */
export function buildWirings(config: Config, jails: readonly RunningJail[]): ReadonlyMap<string, Wiring> {
  const compiled = new Map<string, CompiledFilter>();
  return new Map(
    [...config.sources].map(([name, options]) => {
      const users = jails.filter((running) => running.config.sources.includes(name));
      const byFilter = groupByFilter(users);
      const filters = [...byFilter.values()].map((group) => compiledFilter(group[0]?.config, compiled));
      const wiring: Wiring = {
        matcher: createMatcher(filters),
        jails: [...byFilter.values()],
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

/** Filters are the same when they say the same, wherever they were written. */
function groupByFilter(users: readonly RunningJail[]): Map<string, RunningJail[]> {
  const groups = new Map<string, RunningJail[]>();
  for (const running of users) {
    const key = JSON.stringify(running.config.filter);
    groups.set(key, [...(groups.get(key) ?? []), running]);
  }
  return groups;
}

function compiledFilter(
  config: JailConfig | undefined,
  compiled: Map<string, CompiledFilter>,
): CompiledFilter {
  if (config === undefined) throw new Error("a group of jails is never empty");
  const key = JSON.stringify(config.filter);
  const there = compiled.get(key);
  if (there !== undefined) return there;
  const { filter, problems } = compileFilter(config.filter);
  if (filter === null)
    throw new Error(`filter of jail ${config.name} was checked: ${problems[0]?.fact ?? ""}`);
  compiled.set(key, filter);
  return filter;
}
