import type { Check } from "../check.ts";
import { advice, fine } from "../finding.ts";
import { findProgram } from "../processes.ts";

/** fail2ban's chains, tables and sets in the kernel: after a crash, or after a kill, they stay, and nothing unbans the addresses in them. */
export const fail2banRules: Check = {
  name: "fail2ban-rules",
  title: "rules of fail2ban",
  reports: "fail2ban's rules are in the firewall, and fail2ban does not run",
  look({ processes, host }) {
    const { iptables, nftTables } = host.facts;
    if (iptables === null && nftTables === null) return [];
    const found = [...new Set([...namesIn(iptables, CHAIN), ...namesIn(nftTables, TABLE)])];
    if (found.length === 0) return [fine("fail2ban has no rules in the firewall")];
    if (findProgram(processes, ["fail2ban-server"]) !== null) return [];
    const shown = found.slice(0, MOST_NAMES).join(", ");
    return [
      advice({
        what: `fail2ban does not run, but its rules are in the firewall (${shown})`,
        why: "The addresses in them stay banned: only fail2ban removes them",
        cure: [
          "# take over its bans, then let it remove its own rules:",
          "stoplog adopt fail2ban",
          "systemctl start fail2ban && systemctl disable --now fail2ban",
        ],
      }),
    ];
  },
};

const MOST_NAMES = 5;

/** A chain in the output of iptables-save, in which fail2ban's names begin with `f2b-`. */
const CHAIN = /^:(f2b-\S+)/gm;
/** A table in the output of `nft list tables`. */
const TABLE = /^table \w+ (f2b-\S+)/gm;

function namesIn(text: string | null, pattern: RegExp): readonly string[] {
  return [...(text ?? "").matchAll(pattern)].map(([, name = ""]) => name);
}
