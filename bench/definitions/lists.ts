import type { ListsDefinition } from "../definition.ts";

export const lists: ListsDefinition = {
  name: "lists",
  workload: "lists",
  question:
    "How long does loading a list of half a million entries into the kernel take, and how does it delay bans?",
  target: "loaded in at most 3 s; bans meanwhile p99 ≤ 20 ms; no turn of the event loop over 20 ms",
  entries: 500_000,
  pauseMs: 2,
  engines: [{ name: "stoplog" }, { name: "nft" }],
  analysis:
    "From the file's first byte until the kernel's rules use the new list. The process that loads the list also makes the bans, as in the daemon; each ban counts from the moment it was due, which includes a busy event loop; 'idle' is the same before the load, and shows the machine's other work. The rival does what scripts do: one transaction of the nft program into sets of intervals, and one nft for each ban. It does not check the list's entries.",
};
