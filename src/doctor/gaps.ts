import type { Gap } from "../enforce/kind.ts";
import { kindOf } from "../enforce/kinds.ts";
import { type Situation, usedTargets } from "./situation.ts";

/** Traffic of one kind that this configuration's bans do not stop. */
export function gapsFor(traffic: Gap["traffic"], { config, host }: Situation): readonly Gap[] {
  const holds = ({ where }: Gap): boolean =>
    where === undefined || (host.program(where.installed) !== null && host.program(where.missing) === null);
  return usedTargets(config)
    .flatMap((target) => kindOf(target).gaps?.(target) ?? [])
    .filter((gap) => gap.traffic === traffic && holds(gap));
}
