import type { ScanDefinition } from "../definition.ts";

/** Floods in a file: every line is a failure. */
export const everyLine: readonly ScanDefinition[] = [
  {
    name: "every-line",
    workload: "scan",
    question:
      "How many failures a second are matched, dated, counted and decided, with a thousand patterns loaded?",
    target: "≥ 1,500,000 lines/s",
    corpus: { service: "sshd", lines: 1_000_000, failures: 1, attackers: 20_000, visits: "skewed" },
    patterns: 1000,
    maxretry: 5,
    engines: [
      { name: "stoplog" },
      { name: "wc" },
      { name: "rg" },
      { name: "sshguard-parser", share: 0.5 },
      { name: "fail2ban-filter", share: 0.05 },
    ],
    expect: { failures: 1_000_000, banned: 19_999 },
    analysis:
      "A few addresses fail often, so most lines come from addresses that are already banned; definition many-addresses has fewer such lines. Bans go to the book, not to the kernel.",
  },
  {
    name: "sessions",
    workload: "scan",
    question: "What does a failure cost when each line belongs to a session?",
    target: "≤ 2 × the line without a session",
    corpus: { service: "sshd", lines: 1_000_000, failures: 1, attackers: 20_000, visits: "skewed" },
    patterns: 10,
    maxretry: 5,
    engines: [{ name: "stoplog" }, { name: "stoplog-sessions" }],
    expect: { failures: 1_000_000, banned: 19_999 },
    analysis:
      "Without a session, lines of banned addresses are skipped before a pattern runs; with one they are not, so this is the worst case.",
  },
  {
    name: "many-addresses",
    workload: "scan",
    question: "And when the failures come from two hundred thousand addresses, as a SYN flood's do?",
    target: "none set",
    corpus: { service: "kernel", lines: 1_000_000, failures: 1, attackers: 200_000, visits: "each" },
    patterns: 1000,
    maxretry: 5,
    engines: [{ name: "stoplog" }, { name: "wc" }, { name: "rg" }, { name: "fail2ban-filter", share: 0.02 }],
    expect: { failures: 1_000_000, banned: 200_000 },
    analysis:
      "Every address fails five times, evenly spread: each line needs a counter that is no longer in the processor's caches.",
  },
  {
    name: "already-banned",
    workload: "scan",
    question: "What does a line from an address cost that is already banned?",
    target: "≥ 3,000,000 lines/s",
    corpus: { service: "sshd", lines: 1_000_000, failures: 1, attackers: 1, visits: "each" },
    patterns: 10,
    maxretry: 5,
    engines: [{ name: "stoplog" }, { name: "wc" }, { name: "rg" }, { name: "fail2ban-filter", share: 0.05 }],
    expect: { failures: 1_000_000, banned: 1 },
    analysis:
      "fail2ban's filter alone has no bans, so this shows its cost for each failure; definition flood-one-address has the whole server.",
  },
];
