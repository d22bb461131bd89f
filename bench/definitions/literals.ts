import type { LiteralsDefinition } from "../definition.ts";

const common = {
  workload: "literals",
  target: "learned at least a fifth faster than fixed in one case, or learning is not worth its code",
  lines: 120_000,
  analysis:
    "The matcher alone, in memory, in batches of 128 KiB; one line in a hundred is a failure. 'fixed' chooses literals once, by typical-traffic.ts; 'once' learns from the first megabyte; 'learned' also learns again when too many candidate lines do not match, as the daemon does. The last column scans JSON after eight scans of sshd's log.",
} as const;

/** The gain from learning the traffic's own frequencies. */
export const literals: readonly LiteralsDefinition[] = [
  {
    ...common,
    name: "literals-10",
    question: "How fast is the scan with ten patterns, by the way the literals are chosen?",
    patterns: 10,
  },
  { ...common, name: "literals-100", question: "The same with a hundred patterns?", patterns: 100 },
  { ...common, name: "literals-1000", question: "The same with a thousand patterns?", patterns: 1000 },
  {
    ...common,
    name: "literals-library",
    question: "The same with all filters of the library?",
    patterns: "library",
  },
];
