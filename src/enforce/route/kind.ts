import type { TargetSpec } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";

/** Routes to nowhere, for replies to banned addresses. */
export interface RouteTarget extends TargetSpec {
  readonly type: (typeof TYPES)[number];
}

const TYPES = ["blackhole", "unreachable", "prohibit"] as const;

export const route: EnforcerKind<RouteTarget> = {
  name: "route",
  summary: "A route to nowhere for each ban.",
  description: "Not a firewall: banned addresses still reach this host, and get no reply.",
  options: targetOptions(
    (v) => ({
      type: v
        .word(TYPES)
        .default("blackhole")
        .meta({ description: "The route's type, as in `ip route`.", examples: ["unreachable"] }),
    }),
    ({ type }, { name }): RouteTarget => ({ name, enforcer: route.name, type }),
  ),
  once: true,
  describe: ({ type }) => type,
  places: () => ["routes"],
  needs: () => ({ netAdmin: true, native: "always" }),
  keepsOut: () => false,
  fail2ban: [
    {
      names: /^route$/,
      target({ option, note }) {
        const type = option("blocktype") ?? "unreachable";
        const isKnown = TYPES.some((known) => known === type);
        if (!isKnown) note(`type '${type}' is not known here: blackhole was written instead`);
        return { name: "route", keys: [["type", isKnown ? type : "blackhole"]] };
      },
    },
  ],
  open: async () => new (await import("./enforcer.ts")).RouteEnforcer(),
};
