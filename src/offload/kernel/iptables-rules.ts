import { isV4 } from "../../core/address.ts";
import { formatPrefix, type Prefix } from "../../core/prefix.ts";
import { DAY, FOREVER, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import { piecesOf } from "../../enforce/iptables/rules.ts";
import type { PortRange } from "../../enforce/enforcer.ts";
import { flagsText, protocolName } from "../../enforce/log-rules/iptables-rules.ts";
import { protocolsOf } from "../../enforce/log-rules/log-rule.ts";
import { bucketOf, type KernelJail, needsConntrack } from "./kernel-jail.ts";

/** A jail, and the addresses it ignores, as networks: iptables does not have ranges. */
export interface IptablesJail {
  readonly jail: KernelJail;
  readonly ignored: readonly Prefix[];
}

/**
 * The same for hosts with only iptables, as commands: hashlimit is the bucket, and the bans are in a list of xt_recent. Stoplog does not
 * see these bans, and the only verdict is drop.
 */
export function iptablesKernelRules(jails: readonly IptablesJail[]): readonly string[] {
  if (jails.length === 0) return [];
  return [NOTE, ...jails.flatMap((one, i) => [...rulesOf(one, i, "v4"), ...rulesOf(one, i, "v6")])];
}

const NOTE =
  "# xt_recent keeps 100 addresses of each list unless it is loaded with more: modprobe xt_recent ip_list_tot=10000";

function rulesOf({ jail, ignored }: IptablesJail, index: number, family: "v4" | "v6"): string[] {
  const program = family === "v4" ? "iptables" : "ip6tables";
  const chain = `STOPLOG_JAIL_${index + 1}`;
  // Conntrack states are known after raw only.
  const table = needsConntrack(jail) ? "mangle" : "raw";
  const add = `${program} -t ${table} -A ${chain}`;
  const recent = `-m recent --name stoplog_${index + 1}_${family} --rsource --mask ${maskOf(jail, family)}`;
  const seconds = jail.bantime === FOREVER ? "" : ` --seconds ${Math.ceil(jail.bantime / SECOND)}`;
  return [
    `${program} -t ${table} -N ${chain}`,
    `${add} -i lo -j RETURN`,
    ...ignored
      .filter(({ address }) => isV4(address) === (family === "v4"))
      .map((prefix) => `${add} -s ${formatPrefix(prefix)} -j RETURN`),
    `${add} ${recent} --rcheck${seconds} -j DROP`,
    ...selections(jail).map(
      (selection) => `${add}${selection}${countOf(jail, index, family)} ${recent} --set -j DROP`,
    ),
    `${program} -t ${table} -A PREROUTING -j ${chain}`,
  ];
}

function selections({ packets }: KernelJail): string[] {
  const { ports, flags, interfaces, opening } = packets;
  const protocols = protocolsOf(packets);
  const kinds = protocols.length === 0 ? [""] : protocols.map((number) => ` -p ${protocolName(number)}`);
  const ways = interfaces.length === 0 ? [""] : interfaces.map((name) => ` -i ${name}`);
  const state = opening ? " -m conntrack --ctstate NEW" : "";
  // The match `multiport` takes fifteen ports; further ports need another rule.
  const pieces = ports.length === 0 ? [[]] : piecesOf(ports);
  return ways.flatMap((way) =>
    kinds.flatMap((kind) =>
      pieces.map((piece) => `${way}${kind}${flagsText(flags)}${portsText(piece)}${state}`),
    ),
  );
}

function countOf(jail: KernelJail, index: number, family: "v4" | "v6"): string {
  const length = family === "v4" ? jail.ipv4Prefix : jail.ipv6Prefix;
  const { condition } = jail;
  if (condition.kind === "connections")
    return ` -m connlimit --connlimit-above ${condition.most} --connlimit-mask ${length} --connlimit-saddr`;
  const bucket = bucketOf(condition.maxretry, condition.findtime);
  if (bucket === null) return "";
  // hashlimit does not know weeks.
  const unit = bucket.seconds * SECOND > DAY ? DAY : bucket.seconds * SECOND;
  const packets = Math.max(1, Math.ceil((bucket.burst * unit) / condition.findtime));
  const name = `stoplog_${index + 1}_${family}`;
  return ` -m hashlimit --hashlimit-above ${packets}/${UNITS[unit]} --hashlimit-burst ${bucket.burst} --hashlimit-mode srcip --hashlimit-srcmask ${length} --hashlimit-htable-max ${jail.addresses} --hashlimit-htable-expire ${condition.findtime} --hashlimit-name ${name}`;
}

const UNITS: Readonly<Record<number, string>> = {
  [SECOND]: "second",
  [MINUTE]: "minute",
  [HOUR]: "hour",
  [DAY]: "day",
};

function portsText(ports: readonly PortRange[]): string {
  if (ports.length === 0) return "";
  const text = ports.map(({ first, last }) => (first === last ? String(first) : `${first}:${last}`));
  return ` -m multiport --dports ${text.join(",")}`;
}

function maskOf({ ipv4Prefix, ipv6Prefix }: KernelJail, family: "v4" | "v6"): string {
  const [length, bits, digits, separator] =
    family === "v4" ? ([ipv4Prefix, 8, 4, "."] as const) : ([ipv6Prefix, 16, 8, ":"] as const);
  return Array.from({ length: digits }, (_, i) => {
    const ones = Math.min(bits, Math.max(0, length - i * bits));
    const group = 2 ** bits - 2 ** (bits - ones);
    return group.toString(family === "v4" ? 10 : 16);
  }).join(separator);
}
