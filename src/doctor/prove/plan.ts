import type { TargetConfig } from "../../config/config.ts";
import type { PacketMatch, TargetSpec } from "../../enforce/enforcer.ts";
import { kindOf } from "../../enforce/kinds.ts";

/** How a target is to be proven: by connections to a port, or not at all. */
export type Plan =
  | {
      readonly kind: "packets";
      readonly target: string;
      /** The port that its bans cover; null for any. */
      readonly port: number | null;
      /** Connections to try: more than a throttle lets through. */
      readonly tries: number;
    }
  | { readonly kind: "none"; readonly target: string; readonly why: string };

/** Connections at a target that stops all of them. */
const TRIES = 3;
/** A throttle that lets more through is not told from none. */
const MOST_TRIES = 200;

/** A target with several enforcers is proven when one of them stops packets. */
export function planFor({ name, enforcers }: TargetConfig): Plan {
  const plans = enforcers.map((spec) => planOf(name, spec));
  return (
    plans.find(({ kind }) => kind === "packets") ??
    plans[0] ?? { kind: "none", target: name, why: "it has no enforcer" }
  );
}

function planOf(target: string, spec: TargetSpec): Plan {
  const none = (why: string): Plan => ({ kind: "none", target, why: `${spec.enforcer}: ${why}` });
  const why = kindOf(spec).unprovable?.(spec) ?? null;
  if (why !== null) return none(why);
  const { ports = [], protocols = [], verdict } = spec as TargetSpec & Partial<PacketMatch>;
  if (ports.length > 0 && protocols.length > 0 && !protocols.includes("tcp"))
    return none("its bans do not cover TCP");
  const tries = verdict?.kind === "throttle" ? (verdict.burst + 1) * 2 + TRIES : TRIES;
  if (tries > MOST_TRIES) return none("it lets so many packets through that a proof would need too many");
  return { kind: "packets", target, port: ports[0]?.first ?? null, tries };
}
