import { describe, expect, it } from "vitest";
import { compileFilter } from "./filter/filter.ts";
import { lossOf, LOSS_FILTER, type Loss } from "./loss.ts";
import { createMatcher } from "./matcher.ts";
import { fixedZone } from "./time/time-zone.ts";

const NOW = Date.UTC(2026, 10, 20, 12);

function lossesIn(lines: readonly string[], engine: "naive" | "fast" = "fast"): Loss[] {
  const { filter, problems } = compileFilter(LOSS_FILTER);
  expect(problems).toEqual([]);
  if (filter === null) throw new Error("it does not compile");
  expect(filter.patterns.filter((pattern) => pattern.requirements.length === 0)).toEqual([]);
  expect(filter.patterns.filter((pattern) => pattern.cost !== "linear")).toEqual([]);
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
  const losses: Loss[] = [];
  createMatcher([filter], { engine }).scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    { now: NOW, zone: fixedZone(0) },
    (failure) => losses.push(lossOf(failure)),
  );
  return losses;
}

const TIME = "Nov 20 11:59:59 box";

describe("LOSS_FILTER", () => {
  it.each([
    [
      "rsyslogd-2177: imuxsock begins to drop messages from pid 42 due to rate-limiting",
      "rsyslog",
      0,
      "process 42",
      "SysSock",
    ],
    [
      "rsyslogd-2177: imuxsock lost 133250 messages from pid 42 due to rate-limiting",
      "rsyslog",
      133_250,
      "process 42",
      "SysSock",
    ],
    [
      "rsyslogd: imuxsock[pid 42]: begin to drop messages due to rate-limiting",
      "rsyslog",
      0,
      "process 42",
      "SysSock",
    ],
    [
      "rsyslogd: imuxsock[pid: 42, name: /usr/sbin/sshd] from <sshd:sshd>: begin to drop messages due to rate-limiting",
      "rsyslog",
      0,
      "process 42",
      "SysSock",
    ],
    [
      "rsyslogd: imuxsock[pid: 42, name: /usr/sbin/sshd]: 7 messages lost due to rate-limiting (200 allowed within 5 seconds)",
      "rsyslog",
      7,
      "process 42",
      "SysSock",
    ],
    [
      "rsyslogd[9]: imjournal: 236 messages lost due to rate-limiting",
      "rsyslog",
      236,
      "input imjournal",
      "RateLimit.Interval",
    ],
    [
      "rsyslogd: imjournal from <h:x>: begin to drop messages due to rate-limiting",
      "rsyslog",
      0,
      "input imjournal",
      "RateLimit.Interval",
    ],
    [
      "rsyslogd-pstats: stoplog queue: origin=core.queue size=19992 enqueued=54053 full=14547 discarded.full=14547 discarded.nf=0 maxqsize=20000 ",
      "rsyslog",
      14_547,
      "queue stoplog",
      "ActionQueueSize",
    ],
    [
      "systemd-journald[301]: Suppressed 1234 messages from ssh.service",
      "journald",
      1234,
      "ssh.service",
      "RateLimitIntervalSec=0",
    ],
    ["systemd-journal[1864]: Suppressed 917 messages from /", "journald", 917, "/", "RateLimitIntervalSec=0"],
    ["systemd-journald[301]: Missed 1427 kernel messages", "journald", 1427, "the kernel", "log_buf_len"],
    ["systemd-journald[301]: Forwarding to syslog missed 8 messages.", "journald", 8, "", "max_dgram_qlen"],
    [
      "kernel: [  123.456789] net_ratelimit: 12 callbacks suppressed",
      "the kernel",
      12,
      "net_ratelimit",
      "message_cost",
    ],
    ["kernel: printk: 3 messages suppressed.", "the kernel", 3, "printk", "printk_ratelimit"],
    [
      "kernel: sshd: 13 output lines suppressed due to ratelimiting",
      "the kernel",
      13,
      "sshd",
      "printk_devkmsg",
    ],
    ["kernel: ** 1196 printk messages dropped **", "the kernel", 1196, "", "log_buf_len"],
    ["kernel: [ 2531.862184] audit: rate limit exceeded", "the kernel", 0, "audit", "auditctl -r 0"],
    ["kernel: audit: backlog limit exceeded", "the kernel", 0, "audit", "auditctl -b"],
    [
      "syslog-ng[5]: Destination queue full, dropping messages; queue_len='10000', log_fifo_size='10000', count='4', persist_name='x'",
      "syslog-ng",
      4,
      "",
      "log-fifo-size",
    ],
    [
      "syslog-ng[5]: Message(s) dropped while sending message to destination; driver='d', worker_index='0', batch_size='2'",
      "syslog-ng",
      2,
      "",
      "destination",
    ],
    [
      "syslog-ng[5]: Log statistics; processed='src=9', dropped='dst.tcp(a)=17', x='y'",
      "syslog-ng",
      17,
      "dst.tcp(a)",
      "log-fifo-size",
    ],
  ])("knows: %s", (line, writer, lines, of, cure) => {
    const isTotal = /pstats|statistics/.test(line);
    for (const engine of ["naive", "fast"] as const) {
      expect(lossesIn([`${TIME} ${line}`], engine)).toEqual([
        { writer, lines, isTotal, of, cure: expect.stringContaining(cure) as string },
      ]);
    }
  });

  it("multiplies repeated messages, and bounds the number that a forged line can hold", () => {
    expect(
      lossesIn([
        `${TIME} rsyslogd: message repeated 2 times: [ imjournal: 5 messages lost due to rate-limiting]`,
        `${TIME} systemd-journald[1]: Suppressed 99999999999999999999 messages from ${"x".repeat(500)}`,
      ]),
    ).toMatchObject([{ lines: 10 }, { lines: 1e9, of: "x".repeat(64) }]);
  });

  it("does not take messages of other programs for a report", () => {
    expect(
      lossesIn([
        `${TIME} sshd[7]: Invalid user Suppressed 12 messages from ssh.service from 192.0.2.1 port 5`,
        `${TIME} sshd[7]: Invalid user systemd-journald[1]: Suppressed 12 messages from a from 192.0.2.1 port 5`,
        `${TIME} sshd[7]: audit: rate limit exceeded`,
        `${TIME} syslog-ng[5]: Log statistics; processed='src=9', dropped='dst.tcp(a)=0'`,
        `${TIME} rsyslogd-pstats: stoplog queue: origin=core.queue size=3 enqueued=4 full=0 discarded.full=0 discarded.nf=0 maxqsize=3 `,
        `${TIME} rsyslogd-pstats: main Q: origin=core.queue size=3 enqueued=4 full=7 discarded.full=7 discarded.nf=0 maxqsize=3 `,
      ]),
    ).toEqual([]);
  });
});
