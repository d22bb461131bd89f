import type { Check } from "../check.ts";
import { fine, trouble } from "../finding.ts";
import { gapsFor } from "../gaps.ts";
import type { Host } from "../host.ts";

/**
 * Packets to a published port of a container are forwarded and never pass INPUT. Stoplog's own nftables rules are in prerouting, which all
 * packets pass.
 */
export const containers: Check = {
  name: "containers",
  title: "containers",
  reports: "a target does not stop packets for containers",
  look(situation) {
    const links = containerLinks(situation.host);
    if (links.length === 0) return [];
    const missed = gapsFor("containers", situation).map(({ what, ...rest }) =>
      trouble({ what: `${what}, and ${links[0]} leads to containers`, ...rest }),
    );
    return missed.length > 0 ? missed : [fine(`Bans reach the containers behind ${links[0]}`)];
  },
};

/** Interfaces that Docker, Podman and Kubernetes' plug-ins create. */
export function containerLinks(host: Host): readonly string[] {
  return host
    .list("/sys/class/net")
    .filter((name) => /^(docker\d+|br-[0-9a-f]{12}|podman\d+|cni-?podman\d+|cni\d+|cbr\d+)$/.test(name));
}
