import type { FloodDefinition } from "../definition.ts";

export const floods: readonly FloodDefinition[] = [
  {
    name: "flood",
    workload: "flood",
    question:
      "How long until the last of 6,000 attackers is banned, when all their 300,000 failures are in the log at once?",
    target: "≤ 0.5 s and ≤ 90 MB",
    lines: 300_000,
    attackers: 6000,
    maxretry: 5,
    rivals: [
      { name: "stoplog" },
      { name: "fail2ban", rounds: "once" },
      { name: "fail2ban-append", rounds: "once" },
    ],
    analysis:
      "A hundred attackers at a time, fifty failures each, then the next hundred: nine failures of ten come from addresses that are or should be banned already. The log ends with the failures of one more address, and the clock stops when all addresses are banned in the kernel.",
  },
  {
    name: "flood-one-address",
    workload: "flood",
    question: "What does an address cost that sends 200,000 more lines after its ban?",
    target: "almost nothing",
    lines: 200_000,
    attackers: 1,
    maxretry: 5,
    rivals: [{ name: "stoplog" }, { name: "fail2ban", rounds: "once" }],
    analysis:
      "The clock stops at the ban of a second address, whose failures follow all lines of the first: for this time the first address's lines delay others.",
  },
];
