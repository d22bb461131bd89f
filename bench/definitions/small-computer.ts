import type { BudgetDefinition } from "../definition.ts";

/** Each rate by itself: what comes before must not have filled a queue. */
export const smallComputer: readonly BudgetDefinition[] = [40, 400, 4000].map((linesPerSecond) => ({
  name: `small-computer-${linesPerSecond}`,
  workload: "budget",
  question: `Does a Raspberry Pi of the first kind keep up with ${linesPerSecond} logged packets a second from changing addresses?`,
  target: linesPerSecond === 400 ? "no lag, at most half of the budget" : "none set",
  cpu: 0.1,
  memoryMegabytes: 96,
  linesPerSecond,
  seconds: 120,
  maxretry: 5,
  rivals: [{ name: "stoplog" }, { name: "fail2ban" }],
  analysis:
    "A tenth of a core stands for an ARM1176 at 950 MHz: published single-thread scores differ by a factor of fifteen to thirty from a server's core of today, so a tenth is generous to all; and a share of a fast core is not a slow core: caches and memory are the fast one's, and work comes in bursts of 2 ms every 20 ms. Memory is real. 'Banned' under 'to ban' means that some were not banned ten seconds after the last line.",
}));
