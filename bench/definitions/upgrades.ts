import type { UpgradeDefinition } from "../definition.ts";

export const upgrades: UpgradeDefinition = {
  workload: "upgrade",
  name: "upgrade",
  question:
    "What gets lost while the program is replaced: packets of banned addresses that pass, datagrams of log lines, and time without a reader?",
  target: "0 packets through, ≤ 2 s without a reader; 0 datagrams lost by the takeover",
  bans: 100_000,
  linesPerSecond: 5000,
  packetsPerSecond: 1000,
  ways: ["restart", "takeover"],
  analysis:
    "The bench writes a failure of a new address to a file every 5 ms; the longest time from a line to its ban in the kernel is the time without a reader, plus the ban. The packets of a banned address are counted by a rule that comes after Stoplog's. Each datagram is the first failure of its address, maxretry 2; afterwards every address fails once more, so the bans then are the datagrams that were counted, once each. A restart is SIGTERM, then a start when the process has ended, as systemd and Debian's packages do it.",
};
