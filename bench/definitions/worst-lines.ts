import type { WorstLineDefinition } from "../definition.ts";

export const worstLines: WorstLineDefinition = {
  name: "worst-line",
  workload: "worst-line",
  question: "How long can an attacker keep the matcher busy with one line?",
  target: "≤ 10 ms, aim 1 ms, for 8 KiB",
  lineBytes: 8192,
  engines: [{ name: "stoplog" }, { name: "v8" }, { name: "python" }],
  analysis:
    "Repeats pieces of matching lines, which finds patterns that backtrack but does not prove that no worse line exists; test/fuzz searches for slow lines. Python gets the hostile patterns only: the library's patterns are not written for it.",
};
