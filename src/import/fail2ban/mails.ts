import type { JailAction } from "./read-jails.ts";
import { tried } from "./read-jails.ts";
import type { Conversion } from "./ways.ts";

export interface Mail {
  readonly to: readonly string[];
  readonly from: string | null;
}

/** The mail that an action sends at each ban; "none" for what only tells others or nobody; null for an action of another kind. */
export function mailsOf(action: JailAction, { notes, what }: Conversion): Mail | "none" | null {
  const { call, definition, place } = action;
  const told = TOLD.find(({ names }) => names.test(call.name));
  if (told !== undefined) {
    notes.differs(what, `${call.name}: ${told.fact}`, place);
    return "none";
  }
  if (!/^(?:send)?mail(?:-|$)/.test(call.name)) return null;
  const option = (name: string): string =>
    (definition === null ? call.options.get(name) : tried(definition, name, () => undefined)?.text)?.trim() ??
    "";
  const words = option("dest")
    .split(/[\s,]+/)
    .filter(Boolean);
  const to = words.filter((word) => MAILBOX.test(word));
  for (const word of words)
    if (!to.includes(word))
      notes.differs(what, `${call.name}: '${word.slice(0, 60)}' is no address to write to`, place);
  if (call.name.includes("whois") || /lines|matches|geoip/.test(call.name))
    notes.differs(
      what,
      `${call.name}: mails say the reason of a ban, but neither whois nor lines of logs`,
      place,
    );
  const sender = option("sender");
  return to.length === 0 ? "none" : { to, from: MAILBOX.test(sender) ? sender : null };
}

/** As `notify` takes it. */
const MAILBOX =
  /^[A-Za-z0-9.!#$%&'*+/=?^_{|}~][A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{0,120}(?:@[A-Za-z0-9.-]{1,120})?$/;

const TOLD = [
  {
    names: /^abuseipdb$/,
    fact: "left out; 'notify' with template: abuseipdb does it, with the key in a file",
  },
  {
    names:
      /^(?:blocklist_de|dshield|mynetwatchman|ipthreat|badips|complain|xarf-login-attack|apprise|smtp\.py)/,
    fact: "others are not told: left out; 'notify' tells a URL, a mailbox or a program",
  },
  { names: /^dummy$/, fact: "it does nothing but write a file: left out" },
] as const;
