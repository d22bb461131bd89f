import type { Limit } from "../../core/limits.ts";
import type { TargetSpec } from "../enforcer.ts";
import { type EnforcerKind, targetOptions } from "../kind.ts";
import { recentRules } from "./rules.ts";

/** A list of xt_recent that rules of the operator's look into. */
export interface RecentTarget extends TargetSpec {
  /** The list's name below /proc/net/xt_recent. */
  readonly list: string;
}

export const LIMITS = {
  recentList: {
    value: 100,
    unit: "addresses",
    what: "a list of xt_recent, as the kernel's module has it (`ip_list_tot`)",
    full: "as for a set of the kernel",
    counter: "enforcers.*.refused, enforcers.*.notEnforced, enforcers.*.evicted",
    setting: null,
  },
} as const satisfies Readonly<Record<string, Limit>>;

export const recent: EnforcerKind<RecentTarget> = {
  name: "recent",
  summary: "A list of iptables' match `recent`.",
  description: "A list that rules of yours look into with `-m recent`.",
  options: targetOptions(
    (v) => ({
      list: v.toolName("the name of a list").meta({
        description: "The list's name, as in `/proc/net/xt_recent`. You write the rules that look into it.",
        examples: ["BLOCKER"],
      }),
    }),
    ({ list }, { name }): RecentTarget => ({ name, enforcer: recent.name, list }),
  ),
  once: true,
  describe: ({ list }) => `list ${list}`,
  places: ({ list }) => [`list ${list} of xt_recent`],
  // Its files in /proc belong to root.
  needs: () => ({ root: true, unit: ["User=root"] }),
  keepsOut: () => false,
  singles: () => true,
  rules: recentRules,
  limits: LIMITS,
  open: async (say) => new (await import("./enforcer.ts")).RecentEnforcer(say),
};
