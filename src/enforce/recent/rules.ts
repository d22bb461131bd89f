import type { RecentTarget } from "./kind.ts";

/**
 * The rules that belong to a list: without one that names it, the list is not there. Which packets they drop is the administrator's
 * choice; `--rcheck` leaves the list as it is, so that only Stoplog says who is in it.
 */
export function recentRules({ list }: RecentTarget): readonly string[] {
  return ["iptables", "ip6tables"].map(
    (program) => `${program} -I INPUT -m recent --name ${list} --rcheck -j DROP`,
  );
}
