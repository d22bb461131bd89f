import type { PortRange } from "../../core/packet.ts";
import {
  LOG_PRIORITY,
  LOG_TABLE,
  type LogRule,
  protocolsOf,
  SNAPLEN,
  THRESHOLD,
  unitOf,
} from "./log-rule.ts";

/** The table of log rules as a script for `nft -f`, for people to read and install. It replaces the table that exists. */
export function nftLogRules(rules: readonly LogRule[]): string {
  return [
    `table inet ${LOG_TABLE}`,
    `delete table inet ${LOG_TABLE}`,
    `table inet ${LOG_TABLE} {`,
    "  chain prerouting {",
    `    type filter hook prerouting priority ${LOG_PRIORITY}; policy accept;`,
    '    iif "lo" return',
    ...rules.map((rule) => `    ${nftRule(rule)}`),
    "  }",
    "}",
    "",
  ].join("\n");
}

function nftRule(rule: LogRule): string {
  const { jail, group, ports, flags, interfaces, over } = rule;
  const protocols = protocolsOf(rule);
  const parts = [
    ...(interfaces.length === 0 ? [] : [`iifname { ${interfaces.map((name) => `"${name}"`).join(", ")} }`]),
    ...(protocols.length === 0 ? [] : [`meta l4proto { ${protocols.join(", ")} }`]),
    ...(flags === null ? [] : [`tcp flags & ${hex(flags.set | flags.clear)} == ${hex(flags.set)}`]),
    ...(ports.length === 0 ? [] : [`th dport { ${ports.map(portText).join(", ")} }`]),
    ...(over === null ? [] : [`limit rate over ${over.packets}/${unitOf(over.seconds)}`]),
    `log prefix "${jail}: " group ${group} snaplen ${SNAPLEN} queue-threshold ${THRESHOLD}`,
    "return",
  ];
  return parts.join(" ");
}

function portText({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function hex(bits: number): string {
  return `0x${bits.toString(16)}`;
}
