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
      "An idle daemon sleeps in the kernel and is woken by inotify; a busy one reads on a timer. The pause between two samples decides which of the two is met: 50 ms and a little.",
  },
  {
    name: "latency-quiet",
    workload: "latency",
    question: "And when nothing at all has happened for some seconds, as on most machines at most times?",
    target: "p99 ≤ 10 ms",
    maxretry: 1,
    load: 0,
    pauseMs: 2500,
    rivals: [
      { name: "stoplog", samples: 20 },
      { name: "fail2ban", samples: 20 },
    ],
    analysis:
      "Who polls with growing pauses is slower after a silence than right after a line; who has just been asleep finds its code and data out of the processor's caches. Twenty samples have no 99th percentile: it is the worst one.",
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
      "The load itself brings 2,000 new attackers a second, with 50 failures each. An address that is not banned when the load has ended and 20 seconds more have passed is not in the quantiles, so look at 'banned' first: a daemon that bans the first few and then falls behind has good quantiles.",
  },
];
