import type { PacketFloodDefinition } from "../definition.ts";

export const packetFloods: readonly PacketFloodDefinition[] = [
  {
    workload: "packet-flood",
    name: "syn-flood",
    question:
      "What does a SYN flood of forged senders cost, and how are legitimate clients served meanwhile: with kernel-counted jails, with NFLOG, and undefended?",
    target:
      "no CPU of the daemon per packet with offload: kernel; visitors above 95 % of the undisturbed rate",
    analysis:
      "Visitors connect to the flooded port at a steady rate from other addresses. SYN cookies are off, so that a full backlog shows, and half-open connections last three seconds: those from before the ban are gone when visitors are counted, from 6.5 s on. Sender, visitors and server share the same cores. CPU is the daemon's from the first packet of the flood to the last, including its tick once a second; 'idle' is the same time without a flood. For fail2ban the same packets are lines of kern.log, in the file at once: its figure includes neither LOG nor rsyslog.",
    sources: 1000,
    packets: 700_000,
    rate: 50_000,
    maxretry: 20,
    visitors: 100,
    rivals: [
      { name: "undefended" },
      { name: "stoplog-kernel" },
      { name: "stoplog-nflog" },
      { name: "fail2ban", share: 0.03 },
    ],
  },
];
