import type { ResetDefinition } from "../definition.ts";

export const resetConnections: ResetDefinition = {
  name: "reset-connections",
  workload: "reset",
  question: "How long does cutting live connections block the event loop?",
  target: "no turn over 20 ms, for 1,000 addresses with 100,000 conntrack entries",
  addresses: 1000,
  entries: 100_000,
  others: 10_000,
  engines: [{ name: "stoplog" }, { name: "each", share: 0.05 }, { name: "conntrack", share: 0.02 }],
  analysis:
    "The table is filled by messages, not by packets. Turns are timed by the clock, which includes the machine's other work: 'idle' is the longest turn in half a second without work. CPU time includes the garbage collector's threads and may exceed the clock's. 'each' sends one request for each address and direction, for which the kernel scans the whole table; 'conntrack' starts that program for each address, like a shell hook, and its turns are those of the starting process.",
};
