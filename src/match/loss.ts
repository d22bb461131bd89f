import type { LineMatch } from "../core/line-match.ts";
import type { FilterDefinition } from "./filter/filter.ts";

/** Lines that the program that writes the log reports as dropped. Their failures were never seen. */
export interface Loss {
  /** The program that dropped them: 'rsyslog'. */
  readonly writer: string;
  /** 0 when the writer reports no number. */
  readonly lines: number;
  /** Whether `lines` counts from the writer's start on, so that reports must not be added up. */
  readonly isTotal: boolean;
  /** The source of the lines: 'process 42', 'ssh.service'; empty when not reported. Untrusted text. */
  readonly of: string;
  /** The setting that stops the loss. */
  readonly cure: string;
}

/** A message by which a writer reports dropped lines. */
interface LossPattern {
  readonly writer: string;
  /** Follows `<SYSLOG>`. The group `host` is the number of lines, or any word when there is none; `of` is the source. */
  readonly text: string;
  readonly cure: string;
  /** The kind of source, when the text does not say it. */
  readonly kind?: string;
  readonly isTotal?: true;
}

const COUNT = String.raw`(?P<host>\d+)`;
const IMUXSOCK = `set SysSock.RateLimit.Interval="0" where rsyslog loads imuxsock ($SystemLogRateLimitInterval 0)`;
const RSYSLOG = 'set RateLimit.Interval="0" for that input of rsyslog';
const PRINTK = "boot with a larger log_buf_len";
const RATELIMIT = "set the sysctls kernel.printk_ratelimit and net.core.message_cost to 0";
const AUDIT_RATE = "set auditctl -r 0";
const AUDIT_BACKLOG = "set auditctl -b 8192 or more";
// Not flags(flow-control): with that, syslog-ng stops all logging until a slow reader catches up.
const SYSLOG_NG = "raise log-fifo-size() of syslog-ng";

/**
 * Texts of rsyslog (plugins/imuxsock, plugins/impstats, runtime/ratelimit.c), systemd-journald (journald-server.c, -syslog.c, -kmsg.c), the kernel
 * (lib/ratelimit.c, kernel/printk, kernel/audit.c) and syslog-ng (lib/logqueue-fifo.c, lib/logthrdest).
 */
const LOSSES: readonly LossPattern[] = [
  {
    writer: "rsyslog",
    text: String.raw`imuxsock (?P<host>begins) to drop messages from pid (?P<of>\d+) due to rate-limiting`,
    kind: "process",
    cure: IMUXSOCK,
  },
  {
    writer: "rsyslog",
    text: String.raw`imuxsock lost ${COUNT} messages from pid (?P<of>\d+) due to rate-limiting`,
    kind: "process",
    cure: IMUXSOCK,
  },
  {
    writer: "rsyslog",
    text: String.raw`imuxsock\[pid:? (?P<of>\d+)[^\]]*\](?: from <[^>]*>)?: (?P<host>begin) to drop messages due to rate-limiting`,
    kind: "process",
    cure: IMUXSOCK,
  },
  {
    writer: "rsyslog",
    text: String.raw`imuxsock\[pid:? (?P<of>\d+)[^\]]*\](?: from <[^>]*>)?: ${COUNT} messages lost due to rate-limiting`,
    kind: "process",
    cure: IMUXSOCK,
  },
  {
    writer: "rsyslog",
    text: String.raw`(?P<of>[\w-]+)(?: from <[^>]*>)?: (?P<host>begin) to drop messages due to rate-limiting`,
    kind: "input",
    cure: RSYSLOG,
  },
  {
    writer: "rsyslog",
    text: String.raw`(?P<of>[\w-]+)(?: from <[^>]*>)?: ${COUNT} messages lost due to rate-limiting`,
    kind: "input",
    cure: RSYSLOG,
  },
  {
    // The guide gives this name to the queue before Stoplog's socket. Losses of other queues do not concern Stoplog.
    writer: "rsyslog",
    text: String.raw`(?P<of>stoplog) queue: origin=core\.queue size=\d+ enqueued=\d+ full=\d+ discarded\.full=(?P<host>[1-9]\d*) `,
    kind: "queue",
    cure: "raise $ActionQueueSize where rsyslog sends to Stoplog",
    isTotal: true,
  },
  {
    writer: "journald",
    text: String.raw`Suppressed ${COUNT} messages from (?P<of>\S+)`,
    cure: "set RateLimitIntervalSec=0 in journald.conf, or LogRateLimitIntervalSec=0 in the unit",
  },
  {
    writer: "journald",
    text: String.raw`Missed ${COUNT} kernel messages`,
    kind: "the kernel",
    cure: PRINTK,
  },
  {
    writer: "journald",
    text: String.raw`Forwarding to syslog missed ${COUNT} messages`,
    cure: "raise the sysctl net.unix.max_dgram_qlen, or let the syslog daemon read the journal itself",
  },
  { writer: "the kernel", text: String.raw`(?P<of>\w+): ${COUNT} callbacks suppressed`, cure: RATELIMIT },
  { writer: "the kernel", text: String.raw`(?P<of>\w+): ${COUNT} messages suppressed`, cure: RATELIMIT },
  {
    writer: "the kernel",
    text: String.raw`(?P<of>\w+): ${COUNT} output lines suppressed due to ratelimiting`,
    cure: "set the sysctl kernel.printk_devkmsg to on",
  },
  { writer: "the kernel", text: String.raw`\*\* ${COUNT} printk messages dropped \*\*`, cure: PRINTK },
  {
    writer: "the kernel",
    text: String.raw`audit: rate limit (?P<host>exceeded)`,
    kind: "audit",
    cure: AUDIT_RATE,
  },
  {
    writer: "the kernel",
    text: String.raw`audit: backlog limit (?P<host>exceeded)`,
    kind: "audit",
    cure: AUDIT_BACKLOG,
  },
  {
    writer: "syslog-ng",
    text: String.raw`Destination queue full, dropping messages; .*\bcount='${COUNT}'`,
    cure: SYSLOG_NG,
  },
  {
    writer: "syslog-ng",
    text: String.raw`Message\(s\) dropped while sending message to destination; .*\bbatch_size='${COUNT}'`,
    cure: "check what its destination refuses",
  },
  {
    writer: "syslog-ng",
    text: String.raw`Log statistics; .*\bdropped='(?P<of>[^=']+)=(?P<host>[1-9]\d*)'`,
    cure: SYSLOG_NG,
    isTotal: true,
  },
];

/** A filter whose host is a number of lines. `daemon` names the writers, so other programs cannot forge a report. */
export const LOSS_FILTER: FilterDefinition = {
  name: "lines dropped by the writer of the log",
  failregex: LOSSES.map(({ text }) => `<SYSLOG>${text}`),
  ignoreregex: [],
  goodregex: [],
  daemon: String.raw`rsyslogd(?:-\d+|-pstats)?|systemd-journald?|kernel|syslog-ng|auditd`,
};

/** Reads a match of LOSS_FILTER. */
export function lossOf({ pattern, host, count, captures }: LineMatch): Loss {
  const { writer, kind, cure, isTotal } = LOSSES[pattern] ?? UNKNOWN;
  const of = (captures["of"] ?? "").slice(0, LONGEST_OF);
  const number = Math.min(Number(host), MOST_LINES);
  return {
    writer,
    lines: Number.isNaN(number) ? 0 : number * (isTotal === true ? 1 : count),
    isTotal: isTotal === true,
    of: [kind ?? "", of].filter((part) => part !== "").join(" "),
    cure,
  };
}

const UNKNOWN: LossPattern = { writer: "", text: "", cure: "" };
/** Characters. */
const LONGEST_OF = 64;
/** Bounds one report: a forged line can hold any number. */
const MOST_LINES = 1e9;
