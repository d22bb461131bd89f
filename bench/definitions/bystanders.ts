import type { BystandersDefinition } from "../definition.ts";

/** Each rate by itself. */
export const bystanders: readonly BystandersDefinition[] = [4000, 20_000].map((linesPerSecond) => ({
  name: `bystanders-${linesPerSecond}`,
  workload: "bystanders",
  question: `How long do nginx and sshd take to answer while ${linesPerSecond.toLocaleString("en-US")} failures a second are logged on their machine?`,
  target: "p99 at most 1.2 times that without a daemon",
  linesPerSecond,
  seconds: 30,
  maxretry: 5,
  everyMs: { http: 10, ssh: 50 },
  rivals: [{ name: "neither" }, { name: "stoplog" }, { name: "fail2ban" }],
  analysis:
    "The requests come from the same machine, over loopback: the client, the writer of the log and the services share its processors with the daemon, and cost the same in all three rows. On one processor the difference is larger. An answer is timed from the call to connect to the last byte of the response, or to sshd's banner, for which sshd forks and executes itself. 'Banned' under 'to ban' shows whether the daemon has kept up: one that falls behind continues to use its processor after the flood.",
}));
