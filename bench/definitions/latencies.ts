import type { LatencyDefinition } from "../definition.ts";

export const latencies: readonly LatencyDefinition[] = [
  {
    name: "latency-idle",
    workload: "latency",
    question: "How long from the write of a failure to the ban in the kernel, when nothing else happens?",
    target: "p99 ≤ 10 ms",
    maxretry: 1,
    load: 0,
    pauseMs: 50,
    rivals: [
      { name: "stoplog", samples: 200 },
      { name: "fail2ban", samples: 25 },
    ],
    analysis:
      "An idle daemon sleeps until inotify wakes it; a busy one reads on a timer. The pause between two samples, somewhat more than 50 ms, decides which case is measured.",
  },
  {
    name: "latency-quiet",
    workload: "latency",
    question: "And after some seconds without any event, the usual case on most machines?",
    target: "p99 ≤ 10 ms",
    maxretry: 1,
    load: 0,
    pauseMs: 2500,
    rivals: [
      { name: "stoplog", samples: 20 },
      { name: "fail2ban", samples: 20 },
    ],
    analysis:
      "A daemon that polls with growing pauses is slower after a silence than after a line, and its code and data have left the processor's caches. The 99th percentile of twenty samples is the worst one.",
  },
  {
    name: "latency-flood",
    workload: "latency",
    question: "And while 100,000 other matching lines a second arrive?",
    target: "p99 ≤ 50 ms",
    maxretry: 5,
    load: 100_000,
    pauseMs: 50,
    rivals: [
      { name: "stoplog", samples: 300 },
      { name: "fail2ban", samples: 300 },
    ],
    analysis:
      "The load itself has 2,000 new attackers a second with 50 failures each. An address that is not banned 20 seconds after the end of the load is not in the quantiles. Look at 'banned' first: a daemon that bans the first few and then falls behind has good quantiles.",
  },
];
