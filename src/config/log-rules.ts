import { SECOND } from "../core/time.ts";
import type { LogRule } from "../enforce/log-rules/log-rule.ts";
import { isKind } from "../source/kinds.ts";
import { nflog } from "../source/nflog/kind.ts";
import type { Config } from "./config.ts";

/** The rules that log the packets of jails, for all nflog sources or only for those with `install`. */
export function logRulesOf(config: Config, options: { readonly installed: boolean }): readonly LogRule[] {
  return [...config.sources].flatMap(([name, source]) => {
    if (!isKind(source, nflog) || (options.installed && source.install !== true)) return [];
    const { over, group } = source;
    return config.jails
      .filter(({ sources, packets }) => packets !== undefined && sources.includes(name))
      .map(({ name: jail, packets = {} }): LogRule => {
        const { protocols = [], ports = [], flags, interfaces = [] } = packets;
        return {
          jail,
          group,
          // Only TCP has flags: the rule must not match other protocols.
          protocols: flags === undefined ? protocols : [TCP],
          ports,
          flags: flags ?? null,
          interfaces,
          over: over === undefined ? null : { packets: over.packets, seconds: over.per / SECOND },
        };
      });
  });
}

const TCP = 6;
