import type { ScanDefinition } from "../definition.ts";

/** Lines that no filter needs: one in a hundred is a failure. */
const common = {
  workload: "scan",
  corpus: { service: "sshd", lines: 1_000_000, failures: 0.01, attackers: 20_000, visits: "skewed" },
  maxretry: 5,
  expect: { failures: 10_000, banned: 180 },
} as const;

export const noInterest: readonly ScanDefinition[] = [
  {
    ...common,
    name: "no-interest-10",
    question: "What does a line cost that no pattern matches, with ten patterns?",
    target: "≤ 3 × wc -l",
    patterns: 10,
    engines: [
      { name: "wc" },
      { name: "stoplog" },
      { name: "rg" },
      { name: "grep" },
      { name: "naive", share: 0.5 },
      { name: "sshguard-parser", share: 0.5 },
      { name: "fail2ban-filter", share: 0.1 },
    ],
    analysis:
      "wc -l is the floor: it finds line ends and does nothing else. grep and rg only count; Stoplog and fail2ban also read address and time, count and decide. fail2ban runs one filter of its own here, not ten patterns.",
  },
  {
    ...common,
    name: "no-interest-100",
    question: "What do ninety more patterns cost on lines that none matches?",
    target: "≤ 3 × wc -l",
    patterns: 100,
    engines: [
      { name: "wc" },
      { name: "stoplog" },
      { name: "rg" },
      { name: "grep", share: 0.5 },
      { name: "naive", share: 0.05 },
    ],
    analysis: "The added patterns match nothing, the usual case for most jails.",
  },
  {
    ...common,
    name: "no-interest-1000",
    question: "What do a thousand patterns cost on lines that none matches?",
    target: "≤ 7 × wc -l, five times ahead of rg",
    patterns: 1000,
    engines: [
      { name: "wc" },
      { name: "stoplog" },
      { name: "rg" },
      { name: "grep", share: 0.1 },
      { name: "naive", share: 0.005 },
    ],
    analysis:
      "990 of the thousand are generated and simpler than real ones, which helps automata (rg, grep) more than Stoplog.",
  },
  {
    ...common,
    name: "no-interest-nginx-1000",
    question: "The same for a web server's log, whose lines resemble the requests of scanners?",
    target: "none set",
    corpus: { ...common.corpus, service: "nginx" },
    expect: { failures: 10_000, banned: 194 },
    patterns: 1000,
    engines: [{ name: "wc" }, { name: "stoplog" }, { name: "rg" }],
    analysis:
      "A sixth of the patterns begin with text that every line of an access log contains; only their paths differ.",
  },
];
