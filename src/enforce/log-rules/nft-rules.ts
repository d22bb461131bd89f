import type { PortRange } from "../enforcer.ts";
import { PRIORITY } from "../ruleset/ban-rules.ts";
import { type LogRule, SNAPLEN, THRESHOLD, unitOf, WITH_PORTS } from "./log-rule.ts";

export const LOG_TABLE = "stoplog_log";

/**
 * A table that logs, as a script for nft, which replaces the one that may be there. Its chain comes right behind the one that
 * drops the banned, so that they are not logged any more. What one rule has logged no other does: each packet comes once, and
 * all jails look at it.
 */
export function nftLogRules(rules: readonly LogRule[]): string {
  return [
    `table inet ${LOG_TABLE}`,
    `delete table inet ${LOG_TABLE}`,
    `table inet ${LOG_TABLE} {`,
    "  chain prerouting {",
    `    type filter hook prerouting priority ${PRIORITY + 5}; policy accept;`,
    '    iif "lo" return',
    ...rules.map((rule) => `    ${nftRule(rule)}`),
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Takes the table away, also when it is not there. */
export const NO_LOG_RULES = `table inet ${LOG_TABLE}\ndelete table inet ${LOG_TABLE}\n`;

function nftRule({ jail, group, protocols, ports, flags, interfaces, over }: LogRule): string {
  const carried = protocols.length > 0 || ports.length === 0 ? protocols : WITH_PORTS;
  const parts = [
    ...(interfaces.length === 0 ? [] : [`iifname { ${interfaces.map((name) => `"${name}"`).join(", ")} }`]),
    ...(carried.length === 0 ? [] : [`meta l4proto { ${carried.join(", ")} }`]),
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
