import type { BanChange } from "../../core/ban.ts";
import { LIMITS } from "../../core/limits.ts";
import { formatPrefix, isHost } from "../../core/prefix.ts";
import { isSpecialPurpose } from "../../core/special-purpose.ts";
import { clip, printable } from "../../core/printable.ts";
import { type Duration, MINUTE } from "../../core/time.ts";
import { missing } from "../../schema/missing.ts";
import { ToldLately } from "../told-lately.ts";
import type { Template, TemplateKind } from "./template.ts";

interface AbuseipdbTemplate extends Template {
  /** AbuseIPDB's categories, by jail. */
  readonly categories: Readonly<Record<string, readonly number[]>>;
}

/** AbuseIPDB's `POST /api/v2/report`: a form, and the key in a header. The comment is Stoplog's: counts and times, no log lines. */
export const abuseipdb: TemplateKind<AbuseipdbTemplate> = {
  name: "abuseipdb",
  url: "https://api.abuseipdb.com/api/v2/report",
  needsKey: true,
  each: true,
  untestable: "AbuseIPDB has no test reports: every report accuses an address",
  keys: {
    categories: (v) =>
      v.z
        .record(v.z.string(), v.oneOrMore(v.wholeNumber(1, 99), "a number or a list of them"), {
          error: (issue) => `must be a map of jails to numbers, not ${v.shown(issue.input)}`,
        })
        .optional()
        .meta({
          description: "With abuseipdb: the categories of each jail whose bans are reported.",
          examples: [{ sshd: [18, 22] }],
        }),
  },
  read({ categories = {} }, section, { jails }) {
    const byJail = categories as AbuseipdbTemplate["categories"];
    for (const name of Object.keys(byJail))
      if (!jails.includes(name)) section.refuse(missing("jail", name, jails), "categories");
    return { kind: "abuseipdb", categories: byJail };
  },
  judge(template) {
    const reported = new ToldLately(LIMITS.notifyReported.value, REPORT_AGAIN);
    const verdicts = { new: "told", told: "left out", full: "dropped" } as const;
    return (change, now) =>
      isReportable(change, template)
        ? verdicts[reported.note(formatPrefix(change.ban.prefix), now)]
        : "left out";
  },
  // 429 has two meanings: the day's reports are used up, or the same user reported the address just now, from another machine or before
  // a restart. Only the first is worth a second try.
  isKnown: (fact) => fact.includes("once in 15 minutes"),
  render({ events: [event] }, { url, key }, { categories }) {
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
  },
};

/** Only bans of our own jails, of a single public address, by a jail that has categories. */
export function isReportable(
  { kind, ban }: BanChange,
  { categories }: Pick<AbuseipdbTemplate, "categories">,
): boolean {
  return (
    kind === "ban" &&
    ban.origin === "local" &&
    Object.hasOwn(categories, ban.jail) &&
    isHost(ban.prefix) &&
    !isSpecialPurpose(ban.prefix)
  );
}

/** The service accepts the same address once in this time. */
const REPORT_AGAIN: Duration = 15 * MINUTE;
