import type { MemoryDefinition, StartDefinition } from "../definition.ts";

export const memoryUse: MemoryDefinition = {
  name: "memory",
  workload: "memory",
  question:
    "How much memory does the daemon take at rest, and with a million addresses that have failed once?",
  target: "≤ 60 MB at rest, ≤ 50 bytes an address, ≤ 120 MB with a million",
  rivals: [
    { name: "stoplog", addresses: 1_000_000 },
    { name: "fail2ban", addresses: 20_000 },
  ],
  analysis:
    "Resident size as the kernel counts it, pages of the Node binary included, which other Node processes share. fail2ban gets fewer addresses, since a million would take it half an hour; its bytes an address come from these.",
};

export const startAndRest: StartDefinition = {
  name: "start-and-rest",
  workload: "start",
  question:
    "How long from the start of the process to the first ban, and what does it cost to watch a log in which nothing happens?",
  target: "≤ 300 ms to watching, no CPU at rest",
  idleSeconds: 10,
  rivals: [{ name: "stoplog" }, { name: "fail2ban" }],
  analysis:
    "The time holds the wait for the next line (up to 5 ms) and the ban itself. Stoplog begins at the file's end, so it sees only lines written after it has opened the log; fail2ban reads those written before as well, which is in its favour.",
};
