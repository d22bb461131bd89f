import type { BudgetDefinition } from "../definition.ts";

/** Each rate by itself, so that no earlier rate has filled a queue. */
export const smallComputer: readonly BudgetDefinition[] = [40, 400, 4000].map((linesPerSecond) => ({
  name: `small-computer-${linesPerSecond}`,
  workload: "budget",
  question: `Does a first-generation Raspberry Pi keep up with ${linesPerSecond} logged packets a second from changing addresses?`,
  target: linesPerSecond === 400 ? "no lag, at most half of the budget" : "none set",
  cpu: 0.1,
  memoryMegabytes: 96,
  linesPerSecond,
  seconds: 120,
  maxretry: 5,
  rivals: [{ name: "stoplog" }, { name: "fail2ban" }],
  analysis:
    "A tenth of a core represents an ARM1176 at 950 MHz: published single-thread scores are fifteen to thirty times below those of a current server core, so a tenth is generous to all. A share of a fast core is not a slow core: it has the fast core's caches and memory, and works in bursts of 2 ms every 20 ms. Memory is limited for real. 'Banned' under 'to ban' means that some addresses were not banned ten seconds after the last line.",
}));
