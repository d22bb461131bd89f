import type { MemoryDefinition, StartDefinition } from "../definition.ts";

export const memoryUse: MemoryDefinition = {
  name: "memory",
  workload: "memory",
  question:
    "How much memory does the daemon use at rest, and with a million addresses with one failure each?",
  target: "≤ 60 MB at rest, ≤ 50 bytes an address, ≤ 120 MB with a million",
  rivals: [
    { name: "stoplog", addresses: 1_000_000 },
    { name: "fail2ban", addresses: 20_000 },
  ],
  analysis:
    "Resident size as the kernel counts it, pages of the Node binary included, which other Node processes share. fail2ban gets fewer addresses, since a million would take half an hour; its bytes per address come from these.",
};

export const startAndRest: StartDefinition = {
  name: "start-and-rest",
  workload: "start",
  question:
    "How long does it take from the start of the process to the first ban, and what does watching a quiet log cost?",
  target: "≤ 300 ms to watching, no CPU at rest",
  idleSeconds: 10,
  rivals: [{ name: "stoplog" }, { name: "fail2ban" }],
  analysis:
    "Each start is a first one: the folder is new, so Stoplog reads its configuration in a second process, which a later start with the same files does not. The time includes the wait for the next line (up to 5 ms) and the ban itself. Stoplog starts at the end of the file, so it reads only lines written after it has opened the log; fail2ban also reads earlier lines, which favours fail2ban.",
};
