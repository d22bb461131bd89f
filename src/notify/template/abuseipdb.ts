import { isHost } from "../../core/prefix.ts";
import { isSpecialPurpose } from "../../core/special-purpose.ts";
import { type Duration, MINUTE } from "../../core/time.ts";
import type { BanChange } from "../../core/ban.ts";
import type { Message } from "../message.ts";
import type { Template } from "../options.ts";
import { clip, printable } from "../../core/printable.ts";
import type { Addressee, Rendered } from "./rendered.ts";

/** AbuseIPDB's `POST /api/v2/report`: a form, and the key in a header. The comment is ours: counts and times, no line of a log. */
export function abuseReport(
  { events }: Message,
  { url, key }: Addressee,
  { categories }: Extract<Template, { kind: "abuseipdb" }>,
): Rendered {
  const [event] = events;
  const form = new URLSearchParams({
    ip: event?.address ?? "",
    categories: (categories[event?.jail ?? ""] ?? []).join(","),
    comment: clip(printable(`Stoplog, jail ${event?.jail ?? ""}: ${event?.reason ?? ""}`), 1000),
    timestamp: event?.since ?? "",
  });
  return {
    method: "POST",
    url,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      ...(key === null ? {} : { key }),
    },
    body: form.toString(),
  };
}

/** Only what we have seen ourselves, of a single public address, by a jail that has categories. */
export function isReportable(
  { kind, ban }: BanChange,
  { categories }: Extract<Template, { kind: "abuseipdb" }>,
): boolean {
  return (
    kind === "ban" &&
    ban.origin === "local" &&
    Object.hasOwn(categories, ban.jail) &&
    isHost(ban.prefix) &&
    !isSpecialPurpose(ban.prefix)
  );
}

/**
 * Its answer 429 says two things: that the day's reports are used up, and that this address was reported by the same user just now, from
 * another machine or before a restart. The second is no reason to wait.
 */
export function isReportedAlready(fact: string): boolean {
  return fact.includes("once in 15 minutes");
}

/** The same address is not taken again sooner. */
export const REPORT_AGAIN: Duration = 15 * MINUTE;
