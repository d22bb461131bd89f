import type { PacketsDefinition } from "../definition.ts";

const common = {
  workload: "packets",
  analysis:
    "The sender is a process of its own, but the kernel carries each packet to the rule on the sender's time, and on few cores all share them: packets/s are mostly the sender's limit. CPU is the daemon's, including the kernel's work to add an address to a set and saving to disk. It is measured from the first packet until all are banned and saved.",
} as const;

export const packets: readonly PacketsDefinition[] = [
  {
    ...common,
    name: "nflog-to-ban",
    question:
      "How many addresses a second can be banned from packets alone, when each sends one and is banned for it?",
    target: "≥ 300,000 addresses/s at ≤ 2 µs of our CPU each, none lost",
    family: "v4",
    sources: 300_000,
    packets: 300_000,
    rate: null,
    maxretry: 1,
  },
  {
    ...common,
    name: "nflog-to-ban-long",
    question: "The same three times as long: what does an address cost after V8 has compiled the code?",
    target: "≥ 300,000 addresses/s at ≤ 2 µs of our CPU each, none lost",
    family: "v4",
    sources: 900_000,
    packets: 900_000,
    rate: null,
    maxretry: 1,
  },
  {
    ...common,
    name: "nflog-to-ban-v6",
    question: "The same with IPv6: longer keys in every table.",
    target: "none lost",
    family: "v6",
    sources: 300_000,
    packets: 300_000,
    rate: null,
    maxretry: 1,
  },
  {
    ...common,
    name: "nflog-flood",
    question:
      "Is a flood of 300,000 packets a second read without loss, when every source is banned at its fifth packet?",
    target: "none lost at 300,000 packets/s",
    family: "v4",
    sources: 200_000,
    packets: 1_200_000,
    rate: 300_000,
    maxretry: 5,
  },
  {
    ...common,
    name: "nflog-few",
    question:
      "What does a flood of 300,000 packets a second from a thousand addresses cost, once they are banned?",
    target: "none lost at 300,000 packets/s",
    family: "v4",
    sources: 1000,
    packets: 1_200_000,
    rate: 300_000,
    maxretry: 5,
  },
];
