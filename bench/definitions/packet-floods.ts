import type { PacketFloodDefinition } from "../definition.ts";

export const packetFloods: readonly PacketFloodDefinition[] = [
  {
    workload: "packet-flood",
    name: "syn-flood",
    question:
      "What does a SYN flood of forged senders cost us, and what do those get meanwhile who belong there, when the kernel counts, when we do by NFLOG, and when nobody does?",
    target: "no CPU of ours per packet with offload: kernel; visitors above 95 % of the undisturbed rate",
    analysis:
      "Visitors connect to the port that is flooded, at a steady rate, from other addresses; SYN cookies are off, so that a backlog that is full shows, and half-open connections last three seconds: what came before the ban is over when visitors are counted, from 6.5 s on. Sender, visitors and server share the same cores. CPU is all of the daemon's from the flood's first packet to its last, its tick once a second included; 'idle' is the same time without a flood. For fail2ban the same packets are lines of kern.log that are in the file at once: neither LOG nor rsyslog are in its figure.",
    sources: 1000,
    packets: 700_000,
    rate: 50_000,
    maxretry: 20,
    visitors: 100,
    rivals: [
      { name: "nobody" },
      { name: "stoplog-kernel" },
      { name: "stoplog-nflog" },
      { name: "fail2ban", share: 0.03 },
    ],
  },
];
