import { countEntries } from "../../kernel/conntrack/delete-source.ts";
import { entryList } from "../../kernel/conntrack/entry-list.ts";
import { EINVAL } from "../../kernel/native/system-error.ts";
import { NETLINK_NETFILTER } from "../../kernel/netlink/socket.ts";
import type { Banned } from "./banned.ts";
import { addressesToAskFor, cutByAddress } from "./conntrack-by-address.ts";
import { cutListed } from "./cut-listed.ts";
import type { Cut, Cuttable, Link } from "./cuttable.ts";

/** The conntrack table of this network namespace. */
export class ConntrackTable implements Cuttable {
  readonly noun = "conntrack entries";
  readonly protocol: number = NETLINK_NETFILTER;
  /** Whether the kernel can search for an address itself. Assumed until it refuses. */
  #byAddress = true;

  async cut(banned: Banned, link: Link, stopped: () => boolean): Promise<Cut> {
    const entries = countEntries(link.deletions);
    if (entries === 0) return { cut: 0, refused: 0, trouble: null };
    const addresses = this.#byAddress && entries !== null ? addressesToAskFor(banned, entries) : null;
    if (addresses !== null) {
      const done = await cutByAddress(addresses, link.deletions, stopped);
      if (done !== null) return done;
      this.#byAddress = false;
    }
    return cutListed(entryList, banned, link, stopped);
  }

  lack(doing: "list" | "cut", errno: number): string | null {
    // The answer of nfnetlink when the subsystem is unknown and its module cannot be loaded.
    return doing === "list" && errno === EINVAL ? "the kernel has no module nf_conntrack_netlink" : null;
  }
}
