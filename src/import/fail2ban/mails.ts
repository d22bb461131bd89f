import type { JailAction } from "./read-jails.ts";
import { tried } from "./read-jails.ts";
import type { Conversion } from "./ways.ts";

export interface Mail {
  readonly to: readonly string[];
  readonly from: string | null;
}

/** The mail that an action sends for each ban; "none" when it reports to third parties or does nothing; null for other actions. */
export function mailsOf(action: JailAction, { notes, what }: Conversion): Mail | "none" | null {
  const { call, definition, place } = action;
  const report = REPORTS.find(({ names }) => names.test(call.name));
  if (report !== undefined) {
    notes.differs(what, `${call.name}: ${report.fact}`, place);
    return "none";
  }
  if (!MAILS.test(call.name)) return null;
  const option = (name: string): string =>
    (definition === null ? call.options.get(name) : tried(definition, name, () => undefined)?.text)?.trim() ??
    "";
  const words = option("dest")
    .split(/[\s,]+/)
    .filter(Boolean);
  const to = words.filter((word) => MAILBOX.test(word));
  for (const word of words)
    if (!to.includes(word))
      notes.differs(what, `${call.name}: '${word.slice(0, 60)}' is not a mail address`, place);
  if (call.name.includes("whois") || /lines|matches|geoip/.test(call.name))
    notes.differs(what, `${call.name}: mails give the reason for a ban, without whois or log lines`, place);
  const sender = option("sender");
  return to.length === 0 ? "none" : { to, from: MAILBOX.test(sender) ? sender : null };
}

/** fail2ban's own. */
const MAILS =
  /^(?:mail(?:-buffered|-whois|-whois-lines)?|sendmail(?:-buffered|-geoip-lines|-whois(?:-ipjailmatches|-ipmatches|-lines|-matches)?)?)$/;

/** As `notify` accepts it. */
const MAILBOX =
  /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~][A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{0,120}(?:@[A-Za-z0-9.-]{1,120})?$/;

/** Actions that report to third parties, or do nothing. */
const REPORTS = [
  {
    names: /^abuseipdb$/,
    fact: "left out: use 'notify' with template: abuseipdb and the key in a file",
  },
  {
    names:
      /^(?:blocklist_de|dshield|mynetwatchman|ipthreat|badips|complain|xarf-login-attack|apprise|smtp\.py)/,
    fact: "reports to third parties are left out: 'notify' sends to a URL, a mailbox or a program",
  },
  { names: /^dummy$/, fact: "only writes a file: left out" },
] as const;
