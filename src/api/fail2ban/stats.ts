import { counter, type CountsOf, declareMetrics } from "../../core/metrics.ts";

/** Commands of fail2ban's client, and what was refused. */
export const FAIL2BAN_METRICS = declareMetrics(
  { at: "fail2ban" },
  {
    commands: counter("stoplog_fail2ban_commands_total", "Commands of fail2ban's client that were answered."),
    refused: counter(
      "stoplog_fail2ban_messages_refused_total",
      "Messages on fail2ban's socket that were not a list of plain values.",
    ),
    turnedAway: counter(
      "stoplog_fail2ban_connections_refused_total",
      "Connections to fail2ban's socket over its limit.",
    ),
    broken: counter(
      "stoplog_fail2ban_connections_broken_total",
      "Connections to fail2ban's socket that were closed: the command was too long, or was not finished in time.",
    ),
    unlisted: counter(
      "stoplog_fail2ban_unlisted_total",
      "Banned addresses that were left out of an answer: there are too many.",
    ),
  },
);

export type Fail2banStats = CountsOf<typeof FAIL2BAN_METRICS>;
