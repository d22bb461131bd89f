import type { WorstLineDefinition } from "../definition.ts";

export const worstLines: WorstLineDefinition = {
  name: "worst-line",
  workload: "worst-line",
  question: "How long can an attacker keep the matcher busy with one line?",
  target: "≤ 10 ms, aim 1 ms, for 8 KiB",
  lineBytes: 8192,
  engines: [{ name: "stoplog" }, { name: "v8" }, { name: "python" }],
  analysis:
    "Repeats pieces of lines that match, which finds what backtracks much, but is no proof that nothing worse exists; a fuzzer that searches for slow lines is the better judge. Python gets the hostile patterns only: the library's are not written for it.",
};
