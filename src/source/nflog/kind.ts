import { type SourceKind, sourceKeys, type SourceOptions } from "../kind.ts";

export interface NflogOptions extends SourceOptions {
  readonly type: "nflog";
  /** 0 to 65535, as in the rules: `log group 5`, `-j NFLOG --nflog-group 5`. */
  readonly group: number;
  /** Whether the daemon adds the rules that log to the group. */
  readonly install?: boolean | undefined;
  /** With `install`: log only what exceeds this rate. `per` is in ms. */
  readonly over?: { readonly packets: number; readonly per: number } | undefined;
}

/** Packets that firewall rules log. */
export const nflog: SourceKind<NflogOptions> = {
  name: "nflog",
  summary: "Packets that firewall rules log to a netlink group.",
  description: "Packets, without a log in between. Jails select among them by `packets`.",
  gives: "packets",
  takes: [],
  options: sourceKeys(
    (v) => ({
      group: v.wholeNumber(0, 65_535).meta({
        description: "The group's number, as in the rules: `log group 5`, `-j NFLOG --nflog-group 5`.",
        examples: [5],
      }),
      install: v
        .flag()
        .default(false)
        .meta({
          description:
            "`true`: Stoplog adds the nftables rules that log what its jails select, in a table of its own. `stoplog rules` prints them.",
          examples: [true],
        }),
      over: v
        .rate()
        .optional()
        .meta({
          description: "With `install`: logs only packets beyond this rate, all senders counted together.",
          examples: ["100/second"],
        }),
    }),
    ({ group, install, over }, section): NflogOptions => {
      if (!install) section.refuseKeys(["over"], "needs install: true");
      return { type: "nflog", group, install, over };
    },
  ),
  needs: () => ({ native: "always", netAdmin: true }),
  open: async (name, options) => new (await import("./nflog-source.ts")).NflogSource(name, options),
};
