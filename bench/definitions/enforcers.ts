import type { EnforcersDefinition } from "../definition.ts";

export const enforcers: EnforcersDefinition = {
  name: "enforcers",
  workload: "enforcers",
  question: "How many bans a second does each kind of enforcer take?",
  target:
    "100,000 by netlink and in xt_recent, 5,000 by iptables-restore; no turn of the event loop over 20 ms",
  batch: 1000,
  engines: [
    { name: "nftables", bans: 100_000 },
    { name: "nft-set", bans: 100_000 },
    { name: "ipset", bans: 100_000 },
    { name: "route", bans: 100_000 },
    {
      name: "recent",
      bans: 100_000,
      note: "into a list of 100, the module's default: the kernel forgets the rest",
    },
    { name: "ipset, by its program", bans: 100_000 },
    { name: "ipset restore", bans: 100_000, note: "the program alone, from a file" },
    { name: "nft program", bans: 100_000 },
    { name: "iptables", bans: 10_000 },
    { name: "hosts.deny", bans: 20_000 },
    {
      name: "fail2ban's iptables",
      bans: 300,
      note: "the whole server with its own action, controlled by its client",
    },
  ],
  analysis:
    "Bans come in calls of a thousand, as the reconciler applies a flood; 'again' writes all of them once more, as after a restart or a flushed firewall. nft, ipset, ip and iptables verify the counts. CPU is that of the process and the programs that it started. 'ipset restore' and fail2ban include the start of a process, ours do not: the daemon runs already.",
};
