import type { Check } from "../check.ts";
import { fine, trouble } from "../finding.ts";
import { gapsFor } from "../gaps.ts";
import type { Host } from "../host.ts";

/** A machine with a public IPv6 address needs bans of IPv6. */
export const ipv6: Check = {
  name: "ipv6",
  title: "bans of IPv6",
  reports: "a target cannot ban IPv6, and the machine has a public IPv6 address",
  look(situation) {
    const { config, host } = situation;
    const link = reachable(host);
    if (config === null || link === null) return [];
    const found = gapsFor("IPv6", situation).map(({ what, ...rest }) =>
      trouble({ what: `${what}, and ${link} has an IPv6 address`, ...rest }),
    );
    return found.length > 0 ? found : [fine("Bans cover IPv6")];
  },
};

/** An interface with a global address: scope 00 in /proc/net/if_inet6, and not in fc00::/7, which is local. */
function reachable(host: Host): string | null {
  for (const line of (host.read("/proc/net/if_inet6") ?? "").split("\n")) {
    const [address = "", , , scope, , link] = line.trim().split(/\s+/);
    if (scope === "00" && /^[23]/.test(address)) return link ?? null;
  }
  return null;
}
