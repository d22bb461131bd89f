import type { PortRange } from "../enforcer.ts";
import { piecesOf } from "../iptables/rules.ts";
import { type LogRule, protocolsOf, SNAPLEN, THRESHOLD, unitOf } from "./log-rule.ts";

/**
 * The same rules as commands of iptables and ip6tables, in a chain of their own in the table raw. Rules there that drop banned addresses
 * must come before: `-I` inserts a rule at the head.
 */
export function iptablesLogRules(rules: readonly LogRule[]): readonly string[] {
  return ["iptables", "ip6tables"].flatMap((program) => [
    `${program} -t raw -N ${CHAIN}`,
    `${program} -t raw -A ${CHAIN} -i lo -j RETURN`,
    ...rules.flatMap((rule, i) => ruleLines(rule, i).map((line) => `${program} -t raw -A ${CHAIN}${line}`)),
    `${program} -t raw -A PREROUTING -j ${CHAIN}`,
  ]);
}

const CHAIN = "STOPLOG_LOG";

/** iptables takes one protocol and one interface a rule, and cannot log and return in one rule. */
function ruleLines(rule: LogRule, index: number): string[] {
  const { ports, interfaces } = rule;
  const protocols = protocolsOf(rule);
  const ways = interfaces.length === 0 ? [""] : interfaces.map((name) => ` -i ${name}`);
  const kinds = protocols.length === 0 ? [""] : protocols.map((number) => ` -p ${protocolName(number)}`);
  const places = ports.length === 0 ? [""] : piecesOf(ports).map(portsOf);
  const matches = ways.flatMap((way) =>
    kinds.flatMap((kind) => places.map((place) => ({ way, kind, place }))),
  );
  return matches.flatMap(({ way, kind, place }) => {
    const match = `${way}${kind}${flagsText(rule.flags)}${place}${overOf(rule, index)}`;
    const log = ` -j NFLOG --nflog-group ${rule.group} --nflog-size ${SNAPLEN} --nflog-threshold ${THRESHOLD} --nflog-prefix "${rule.jail}: "`;
    // With a rate there is no second rule that returns: it could not know whether the first has logged the packet.
    return rule.over === null ? [`${match}${log}`, `${match} -j RETURN`] : [`${match}${log}`];
  });
}

/** Such as `--tcp-flags SYN,ACK SYN`, after a space. */
export function flagsText(flags: LogRule["flags"]): string {
  if (flags === null) return "";
  const names = (bits: number): string =>
    TCP_FLAGS.filter(([, bit]) => (bits & bit) !== 0)
      .map(([name]) => name)
      .join(",") || "NONE";
  return ` --tcp-flags ${names(flags.set | flags.clear)} ${names(flags.set)}`;
}

/** The flags that iptables has names for. */
const TCP_FLAGS = [
  ["FIN", 1],
  ["SYN", 2],
  ["RST", 4],
  ["PSH", 8],
  ["ACK", 16],
  ["URG", 32],
] as const;

function portsOf(ports: readonly PortRange[]): string {
  const text = ports.map(({ first, last }) => (first === last ? String(first) : `${first}:${last}`));
  return ` -m multiport --dports ${text.join(",")}`;
}

/** Without a mode, `hashlimit` has one count for all packets, as nft's `limit`. */
function overOf({ over, group }: LogRule, index: number): string {
  if (over === null) return "";
  const rate = `${over.packets}/${unitOf(over.seconds)}`;
  return ` -m hashlimit --hashlimit-above ${rate} --hashlimit-name stoplog_${group}_${index}`;
}

export function protocolName(protocol: number): string {
  return { 6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite" }[protocol] ?? String(protocol);
}
