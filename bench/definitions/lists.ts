import type { ListsDefinition } from "../definition.ts";

export const lists: ListsDefinition = {
  name: "lists",
  workload: "lists",
  question:
    "How long does a list of half a million entries take into the kernel, and what do bans feel of it?",
  target: "loaded in 3 s at most; live bans meanwhile p99 ≤ 20 ms; no turn of the event loop over 20 ms",
  entries: 500_000,
  pauseMs: 2,
  engines: [{ name: "stoplog" }, { name: "nft" }],
  analysis:
    "From the file's first byte until the kernel's rules ask the new list. Bans are made by the same process that loads the list, as in the daemon; each counts from the moment it was due, so a busy event loop shows; 'idle' is the same before anything is loaded, and says what the machine does beside. The rival is what scripts do: one transaction of the nft program into sets of intervals, and the program once more for each ban. It is told nothing of what a list may not hold, and checks nothing.",
};
