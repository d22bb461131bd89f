import { ADDRESS, DATE, IP4, IP6, SCOPE, syslogHead } from "./shapes.ts";
import type { GroupTag, Tag, TextTag } from "./tag.ts";

/** The groups that make sessions. */
export const SESSION_GROUPS = {
  id: "mlfid",
  note: "nofail",
  gained: "mlfgained",
  begin: "mlfbegin",
  end: "mlfforget",
} as const;

/** The group of `<SKIPLINES>`. */
export const SKIPPED_LINES = "skiplines";

/** Every built-in tag, in the order of the reference page. To add a tag, add an entry here (CONTRIBUTING.md). */
export const TAGS: readonly Tag[] = [
  {
    kind: "text",
    name: "HOST",
    doc: "The client: an IPv4 or IPv6 address, with or without brackets, or a host name. A name bans only with `usedns`.",
    example: {
      pattern: "^login failed from <HOST>$",
      line: "login failed from 192.0.2.1",
    },
    inFail2ban: true,
    regex: String.raw`\[?(?P<host>[\w.:\-]*[\w:])${SCOPE}\]?`,
    host: { group: "host", rank: 6, needsAddress: false },
  },
  {
    kind: "text",
    name: "ADDR",
    doc: "The client's IPv4 or IPv6 address, with or without brackets. A pattern does not match where a name stands.",
    example: {
      pattern: String.raw`^refused: <ADDR>:\d+$`,
      line: "refused: [2001:db8::1]:443",
    },
    inFail2ban: true,
    regex: String.raw`\[?(?P<addr>${ADDRESS})${SCOPE}\]?`,
    host: { group: "addr", rank: 5, needsAddress: true },
  },
  {
    kind: "text",
    name: "IP4",
    doc: "The client's IPv4 address.",
    example: { pattern: "^refused: <IP4>$", line: "refused: 192.0.2.1" },
    inFail2ban: true,
    regex: `(?P<ip4>${IP4})`,
    host: { group: "ip4", rank: 2, needsAddress: true },
  },
  {
    kind: "text",
    name: "IP6",
    doc: "The client's IPv6 address, with or without brackets.",
    example: { pattern: "^refused: <IP6>$", line: "refused: 2001:db8::1" },
    inFail2ban: true,
    regex: String.raw`\[?(?P<ip6>${IP6})${SCOPE}\]?`,
    host: { group: "ip6", rank: 3, needsAddress: true },
  },
  {
    kind: "text",
    name: "DNS",
    doc: "The client's host name. It bans only with `usedns`.",
    example: {
      pattern: "^refused: (?:<IP4>|<DNS>)$",
      line: "refused: 192.0.2.1",
    },
    inFail2ban: true,
    regex: String.raw`(?P<dns>[\w.\-]*\w)`,
    host: { group: "dns", rank: 7, needsAddress: false },
  },
  {
    kind: "text",
    name: "SUBNET",
    doc: "As `<ADDR>`, with or without a prefix length behind it (`192.0.2.0/24`). The address alone is counted.",
    example: { pattern: "^blocked <SUBNET>$", line: "blocked 192.0.2.1/24" },
    inFail2ban: true,
    regex: String.raw`\[?(?P<addr>${ADDRESS})(?:/(?P<cidr>\d{1,3}))?\]?`,
    host: { group: "addr", rank: 5, needsAddress: true },
  },
  {
    kind: "text",
    name: "CIDR",
    doc: "A prefix length: one to three digits.",
    example: { pattern: "^blocked <ADDR>/<CIDR>$", line: "blocked 192.0.2.1/24" },
    inFail2ban: true,
    regex: String.raw`(?P<cidr>\d{1,3})`,
  },
  {
    kind: "text",
    name: "SYSLOG",
    doc: "The start of the line and everything before the message of a syslog line: RFC 3164 and RFC 5424, any date, with or without priority, host and process number, and the kernel's uptime; as rsyslog, syslog-ng, journalctl, busybox, BSD's syslogd, socklog, metalog and svlogd write it, also behind the prefix of a container. `daemon` is the program's name in it.",
    example: {
      pattern: "<SYSLOG>login failed from <HOST>$",
      line: "Nov 20 14:44:48 box door[12]: login failed from 192.0.2.1",
      daemon: "door",
    },
    inFail2ban: false,
    regex: syslogHead,
    withoutDaemon: "<SYSLOG> without 'daemon' takes lines of any program",
  },
  {
    kind: "text",
    name: "SKIPLINES",
    doc: "In a filter with `maxlines`: the end of a line and any number of whole lines behind it, which stay for further matches.",
    example: {
      pattern: "^(?P<door>door \\d) opened for <HOST>$<SKIPLINES>^(?P=door): wrong key$",
      line: "door 1 opened for 192.0.2.1\ndoor 2: closed\ndoor 1: wrong key",
      maxlines: 3,
    },
    inFail2ban: true,
    regex: String.raw`\n(?P<skiplines>(?:.*\n)*?)`,
  },
  {
    kind: "text",
    name: "DATE",
    doc: "A date and time in any of the shapes that logs use (ISO 8601, syslog, web servers, MySQL, seconds since 1970), or a time of day. It matches the text only: the failure's time is read by itself or by `datepattern`.",
    example: {
      pattern: String.raw`^\[<DATE>\] login failed from <HOST>$`,
      line: "[2026-11-20 14:44:48,123] login failed from 192.0.2.1",
    },
    inFail2ban: false,
    regex: DATE,
  },
  {
    kind: "group",
    name: "F-ID",
    doc: "The client, in whatever shape the pattern says. It goes before every other tag of the pattern that captures the client.",
    example: { pattern: "^session of <F-ID/> refused$", line: "session of 192.0.2.1 refused" },
    inFail2ban: true,
    group: "fid",
    whole: String.raw`\S+`,
    isWholeInFail2ban: true,
    host: { group: "fid", rank: 1, needsAddress: false },
  },
  {
    kind: "group",
    name: "F-USER",
    doc: "The user name. `stoplog test` shows what was captured.",
    example: {
      pattern: String.raw`^login of <F-USER>\S+</F-USER> from <HOST> failed$`,
      line: "login of root from 192.0.2.1 failed",
    },
    inFail2ban: true,
    group: "user",
    whole: String.raw`\S+`,
  },
  {
    kind: "group",
    name: "F-ALT_USER",
    doc: "Another place where the user name may stand: it counts where `<F-USER>` is empty. The same holds for `F-ALT_` before any other name, with or without a number at its end.",
    example: {
      pattern: "^(?:login of <F-USER/>|no user <F-ALT_USER/>) from <HOST>$",
      line: "no user admin from 192.0.2.1",
    },
    inFail2ban: true,
    group: "alt_user",
    whole: String.raw`\S+`,
  },
  {
    kind: "group",
    name: "F-PORT",
    doc: "The client's port.",
    example: { pattern: "^refused: <HOST> port <F-PORT/>$", line: "refused: 192.0.2.1 port 40000" },
    inFail2ban: true,
    group: "fport",
    whole: String.raw`\w+`,
    isWholeInFail2ban: true,
  },
  {
    kind: "group",
    name: "F-CONTENT",
    doc: "In `prefregex`: the part of the line that `failregex` and `goodregex` see.",
    example: {
      pattern: "^<F-CONTENT>refused: <HOST></F-CONTENT>$",
      line: "refused: 192.0.2.1",
    },
    inFail2ban: true,
    group: "content",
    whole: String.raw`\S+`,
  },
  {
    kind: "group",
    name: "F-MLFID",
    doc: "What is the same in all lines of one session, such as a process or connection number: they share the client's address ([sessions](../guide/filters.md#lines-without-an-address)). In `prefregex` it is the id for all patterns.",
    example: {
      pattern: String.raw`^<F-MLFID>conn=\d+</F-MLFID> refused: <HOST>$`,
      line: "conn=7 refused: 192.0.2.1",
    },
    inFail2ban: true,
    group: SESSION_GROUPS.id,
    whole: String.raw`\S+`,
  },
  {
    kind: "group",
    name: "F-NOFAIL",
    doc: "The line is not a failure. In a session (`<F-MLFID>`) it tells the address.",
    example: {
      pattern: `^<F-MLFID/> <F-NOFAIL>accepted</F-NOFAIL> from <HOST>$\n^<F-MLFID/> wrong password$`,
      line: "conn=7 accepted from 192.0.2.1\nconn=7 wrong password",
    },
    inFail2ban: true,
    group: SESSION_GROUPS.note,
    whole: String.raw`\S+`,
  },
  {
    kind: "group",
    name: "F-MLFBEGIN",
    doc: "In a session: the session begins with this line. What is known of an earlier one with the same id is forgotten.",
    example: {
      pattern: `^<F-MLFID/> <F-NOFAIL><F-MLFBEGIN>accepted</F-MLFBEGIN></F-NOFAIL> from <HOST>$\n^<F-MLFID/> wrong password$`,
      line: "conn=7 wrong password\nconn=7 accepted from 192.0.2.1\nconn=7 wrong password",
    },
    inFail2ban: false,
    group: SESSION_GROUPS.begin,
    whole: String.raw`\S+`,
  },
  {
    kind: "group",
    name: "F-MLFFORGET",
    doc: "In a session: the session ends with this line.",
    example: {
      pattern: `^<F-MLFID/> <F-NOFAIL>accepted</F-NOFAIL> from <HOST>$\n^<F-MLFID/> <F-MLFFORGET>thrown out</F-MLFFORGET>$`,
      line: "conn=7 accepted from 192.0.2.1\nconn=7 thrown out",
    },
    inFail2ban: true,
    group: SESSION_GROUPS.end,
    whole: String.raw`\S+`,
  },
  {
    kind: "group",
    name: "F-MLFGAINED",
    doc: "In a session: the log-in succeeded. A failure that waits for its address is dropped; the line counts only when the session tried several users (`<F-USER>`).",
    example: {
      pattern: `^<F-MLFID/> <F-MLFGAINED>welcome</F-MLFGAINED> from <HOST>$\n^<F-MLFID/> wrong command$`,
      line: "conn=7 welcome from 192.0.2.1\nconn=7 wrong command",
    },
    inFail2ban: true,
    group: SESSION_GROUPS.gained,
    whole: String.raw`\S+`,
  },
];

const byName: ReadonlyMap<string, Tag> = new Map(TAGS.map((tag) => [tag.name, tag]));

/** The tag `<NAME>`; undefined for any other name, also one that begins with `F-`. */
export function textTag(name: string): TextTag | undefined {
  const tag = byName.get(name);
  return tag?.kind === "text" ? tag : undefined;
}

export type AnyGroup = Pick<GroupTag, "group" | "whole">;

/** The group of `<F-LABEL>`; a label that the table does not have is a group of that name. `label` is in upper case. */
export function groupTag(label: string): AnyGroup {
  const tag = byName.get(`F-${label}`);
  if (tag?.kind === "group") return tag;
  return { group: label.toLowerCase().replaceAll("-", "_"), whole: String.raw`\S+` };
}

/** Groups that hold the host, the lowest rank first. `ip` is Perl's and banban's spelling, `(?<ip>…)`; no tag makes it. */
export const HOST_GROUPS: readonly string[] = [
  ...new Map([
    ...TAGS.flatMap(({ host }) => (host === undefined ? [] : [[host.group, host.rank] as const])),
    ["ip", 4] as const,
  ]),
]
  .toSorted(([, a], [, b]) => a - b)
  .map(([group]) => group);

/** Groups that only an address may fill; a pattern whose group holds other text does not match. */
export const ADDRESS_GROUPS: ReadonlySet<string> = new Set(
  TAGS.flatMap(({ host }) => (host?.needsAddress === true ? [host.group] : [])),
);

/** Matches where a pattern captures the host by a tag or by a group. */
export const NAMES_HOST = new RegExp(
  String.raw`<(?:${TAGS.flatMap(({ name, host }) => (host === undefined ? [] : [name])).join("|")})/?>|\(\?P?<(?:${HOST_GROUPS.join("|")})>`,
);

/** Matches a tag that fail2ban has too, and any group: `<HOST>`, `<F-HOST/>`, `<F-USER>`, `</F-USER>`, `<F-ID/>`. */
export const FAIL2BAN_TAG = new RegExp(
  `^<(?:${TAGS.flatMap((tag) => {
    if (tag.kind === "text") return tag.inFail2ban ? [tag.name, `F-${tag.name}/`] : [];
    return tag.isWholeInFail2ban === true ? [`${tag.name}/`] : [];
  }).join("|")}|/?F-[A-Z0-9_-]+)>$`,
);
