import type { Config } from "../config/config.ts";
import { filterKey } from "../config/filter-key.ts";
import { cutsAt } from "../match/cut/cuts.ts";
import { transcoderFor } from "../match/encoding/transcoder.ts";
import type { CompiledFilter } from "../match/filter/filter.ts";
import { LOSS_FILTER } from "../match/loss.ts";
import { createMatcherInSteps } from "../match/matcher.ts";
import { compileSelection } from "../match/packet/selector.ts";
import { localZone, parseTimeZone, type TimeZone } from "../match/time/time-zone.ts";
import type { PacketWiring } from "./packet-flow.ts";
import type { RunningJail, Wiring } from "./pipeline.ts";

/** What to look for in each source's lines: the filters of its jails, each once, and LOSS_FILTER, in one matcher. */
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
    const cuts = cutsAt(options.maxLine, options.cutLengths);
    wirings.set(name, {
      matcher: await createMatcherInSteps(keys.map((key) => compiledFilter(key, filters))),
      jails: [...byFilter.values()],
      lossFilter: byFilter.size,
      zone: zoneOf(options.timezone),
      cuts,
      transcoder: transcoderFor(options.encoding ?? "utf-8", cuts),
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

/** The check of the configuration has refused unknown names; one would count as local time. */
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
