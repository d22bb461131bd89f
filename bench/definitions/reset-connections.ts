import type { ResetDefinition } from "../definition.ts";

export const resetConnections: ResetDefinition = {
  name: "reset-connections",
  workload: "reset",
  question: "How long does the event loop stand while live connections are cut?",
  target: "no turn over 20 ms, for 1,000 addresses with 100,000 conntrack entries",
  addresses: 1000,
  entries: 100_000,
  others: 10_000,
  engines: [{ name: "stoplog" }, { name: "each", share: 0.05 }, { name: "conntrack", share: 0.02 }],
  analysis:
    "The table is filled by messages, not by packets. Turns are timed by the clock, so what the machine does beside counts: 'idle' is the longest turn of half a second in which nothing was to be done. CPU time has the collector's threads in it and may exceed the clock's. 'each' is one order for each address and direction, over which the kernel goes through the whole table; 'conntrack' is the program, started for each address as a shell hook would, and its turns are those of the process that starts it.",
};
