import type { PacketMatch } from "../enforcer.ts";

/** What leads to the bans of a target: the rules that `isOurs` accepts, in a chain of the operator's. */
export interface OurRules {
  readonly chain: string;
  readonly isOurs: (line: string) => boolean;
  readonly ports: PacketMatch["ports"];
}

/**
 * Rules that accept packets before they come to ours, as `iptables-save` prints them, such as `-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT`.
 * Rules for some sources, for trusted interfaces and for ICMP (which IPv6 needs) are left out, and so are rules for other ports than ours.
 */
export function passesBefore(text: string, { chain, isOurs, ports }: OurRules): readonly string[] {
  const chains = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const name = /^-A (\S+) /.exec(line)?.[1];
    if (name === undefined) continue;
    const rules = chains.get(name);
    if (rules === undefined) chains.set(name, [line]);
    else rules.push(line);
  }
  // A packet that returns from the operator's chain has come to its policy, or goes on where the chain was called.
  const returnPasses = !text.includes(`\n:${chain} DROP `);
  const before: string[] = [];
  const seen = new Set<string>();
  const walk = (name: string): boolean => {
    if (seen.has(name)) return false;
    seen.add(name);
    for (const line of chains.get(name) ?? []) {
      if (isOurs(line)) return true;
      if (before.length >= MOST || isLimited(line) || !overlaps(line, ports)) continue;
      const [, target = ""] = /^.* -[jg] (\S+)/.exec(line) ?? [];
      if (target === "ACCEPT" || (target === "RETURN" && name === chain && returnPasses)) before.push(line);
      else if (chains.has(target) && walk(target)) return true;
    }
    return false;
  };
  return walk(chain) ? before : [];
}

/** `Packets of banned addresses pass … : …`. */
export function passSentence(line: string, what: string): string {
  const [, chain = "", rule = ""] = /^-A (\S+) (.*)$/.exec(line) ?? [];
  return `Packets of banned addresses pass: in iptables' chain ${chain} the rule '${rule.slice(0, 200)}' comes before ${what}`;
}

/** Enough for a sentence with the first one and the number of the others. */
const MOST = 100;

/** Whether a rule applies to few sources only: then the operator trusts them. */
function isLimited(line: string): boolean {
  return (
    / (?:-s \S+|--src-range \S+|--match-set \S+ src\b|--mac-source \S+)/.test(
      line.replace(/ ! -{1,2}\S+ \S+/g, ""),
    ) ||
    / -p (?:ipv6-)?icmp(?:v6)?\b/.test(line) ||
    / -i (?:lo|tun|tap|wg|docker|br-|virbr|veth|tailscale)\S* /.test(line.replace(/ ! -i \S+/, ""))
  );
}

/** Whether packets for one of these ports can match the rule; every rule does when there are none. */
function overlaps(line: string, ports: PacketMatch["ports"]): boolean {
  const [, list] = / --(?:dports?|destination-ports?|ports) (\S+)/.exec(line) ?? [];
  if (ports.length === 0 || list === undefined || / ! --d/.test(line)) return true;
  return list.split(",").some((piece) => {
    const [first = 0, last = first] = piece.split(":").map(Number);
    return ports.some((range) => range.first <= last && first <= range.last);
  });
}
