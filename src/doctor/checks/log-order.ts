import { nflog } from "../../source/nflog/kind.ts";
import { kmsg } from "../../source/kmsg/kind.ts";
import type { Check } from "../check.ts";
import { advice, type Finding, fine } from "../finding.ts";
import { sourcesOf } from "../situation.ts";

/**
 * LOG rules of others that come before the rules of bans, so that the packets of banned addresses are still logged. Bans in nftables come
 * before every rule of iptables.
 */
export const logOrder: Check = {
  name: "log-order",
  title: "LOG rules before the bans",
  reports: "a rule of iptables logs packets before the rule that stops banned addresses sees them",
  look(situation) {
    const saved = situation.host.facts.iptables;
    if (saved === null) return [];
    const chains = chainsIn(saved);
    const bans = chains.flatMap(({ rules }) => rules.filter(isBan));
    if (bans.length === 0) return [];
    const reads = [...sourcesOf(situation, nflog), ...sourcesOf(situation, kmsg)].length > 0;
    const found = chains.flatMap((chain) => logsBefore(chain, chains).map((rule) => findingOf(rule, reads)));
    return found.length > 0 ? found : [fine("No rule logs packets before the bans stop them")];
  },
};

interface Chain {
  readonly table: string;
  readonly name: string;
  /** In their order, as iptables-save prints them, without `-A`. */
  readonly rules: readonly string[];
}

function chainsIn(saved: string): readonly Chain[] {
  const chains = new Map<string, Chain & { rules: string[] }>();
  let table = "";
  let part = 0;
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1).trim();
    // The same chain of the other family is another one.
    if (line.startsWith("# Generated")) part++;
    const [, name = "", rule = ""] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    if (name === "") continue;
    const key = `${part} ${table} ${name}`;
    const chain = chains.get(key) ?? { table, name, rules: [] };
    chain.rules.push(`${name} ${rule}`);
    chains.set(key, chain);
  }
  return [...chains.values()];
}

/** A rule of a list of xt_recent, of Stoplog's sets, or a jump to Stoplog's chain. */
function isBan(rule: string): boolean {
  const drops = / -j (?:DROP|REJECT|TARPIT)\b/.test(rule);
  return (
    (drops && / -m recent .*--(?:rcheck|update)\b/.test(rule)) ||
    (/ --match-set stoplog\S* src\b/.test(rule) && / -j /.test(rule)) ||
    / -j stoplog-\S+/.test(rule)
  );
}

/** The rules that log before the first ban of their chain. */
function logsBefore({ table, rules }: Chain, chains: readonly Chain[]): readonly string[] {
  const first = rules.findIndex(isBan);
  if (first < 0) return [];
  const logging = new Set(
    chains.filter((chain) => chain.table === table && chain.rules.some(isLog)).map(({ name }) => name),
  );
  return rules
    .slice(0, first)
    .filter((rule) => isLog(rule) || logging.has(/ -j (\S+)/.exec(rule)?.[1] ?? ""));
}

function isLog(rule: string): boolean {
  return / -j (?:LOG|NFLOG|ULOG)\b/.test(rule);
}

function findingOf(rule: string, isRead: boolean): Finding {
  const [chain = ""] = rule.split(" ");
  return advice({
    what: `A rule before the bans in ${chain} logs packets: ${rule}`,
    why: isRead
      ? "Packets of banned addresses are logged as well, and Stoplog reads them again and again"
      : "Packets of banned addresses are logged as well",
    cure: [`# put this rule behind the rule of the bans: iptables -D ${rule}`],
  });
}
