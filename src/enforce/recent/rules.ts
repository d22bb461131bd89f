import type { RecentTarget } from "./kind.ts";

/**
 * Rules that create a list and drop the packets of its addresses, for the operator to adapt. `--rcheck` does not change the list: only
 * Stoplog adds and removes addresses.
 */
export function recentRules({ list }: RecentTarget): readonly string[] {
  return ["iptables", "ip6tables"].map(
    (program) => `${program} -I INPUT -m recent --name ${list} --rcheck -j DROP`,
  );
}
