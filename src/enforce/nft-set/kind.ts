import type { TargetSpec } from "../enforcer.ts";
import type { EnforcerKind, Values } from "../kind.ts";

/** Sets in nftables of the operator's, with rules that use them. Stoplog adds and removes elements only. */
export interface NftSetTarget extends TargetSpec {
  readonly sets: readonly NftSetName[];
}

export interface NftSetName {
  readonly family: "inet" | "ip" | "ip6" | "netdev" | "bridge";
  readonly table: string;
  readonly set: string;
}

export const nftSet: EnforcerKind<NftSetTarget> = {
  name: "nft-set",
  summary: "Sets of nftables that you made.",
  description: "`nftables` with `sets`.",
  options: null,
  spelled: "nftables",
  once: false,
  describe: ({ sets }) =>
    `your sets ${sets.map(({ family, table, set }) => `${family} ${table} ${set}`).join(", ")}`,
  places: ({ sets }) => sets.map(({ family, table, set }) => `set ${family} ${table} ${set}`),
  needs: () => ({ netAdmin: true, native: "always" }),
  keepsOut: () => false,
  singles: () => true,
  gaps: ({ name, sets }) =>
    sets.length === 1
      ? [
          {
            traffic: "IPv6",
            what: `Target ${name} has one set, which holds addresses of one family`,
            why: "Attackers of the other family are not stopped",
            cure: [
              `# make a second set (type ipv6_addr) and a rule that uses it, and name it in the configuration: sets of ${name}`,
            ],
          },
        ]
      : [],
  open: async () => new (await import("./enforcer.ts")).NftSetEnforcer(),
};

/** `inet filter blocked4`: family, table and set. */
export function setName(v: Values) {
  const what = 'family, table and name of a set, such as "inet filter blocked4"';
  return v.text(what).transform((value, context): NftSetName => {
    const [, family, table = "", set = ""] =
      /^(inet|ip|ip6|netdev|bridge)\s+([A-Za-z0-9_/\\.-]{1,127})\s+([A-Za-z0-9_/\\.-]{1,127})$/.exec(
        value.trim(),
      ) ?? [];
    if (family !== undefined) return { family: family as NftSetName["family"], table, set };
    const message = `must be ${what}, not ${v.shown(value)}`;
    context.issues.push({ code: "custom", message, input: value });
    return v.z.NEVER;
  });
}
