import { formatPrefix } from "../../src/core/prefix.ts";
import { formatInstant } from "../../src/core/time.ts";
import { banOf, jailsOf } from "../../src/import/fail2ban/bans/ask-client.ts";
import { readLines } from "../../src/import/fail2ban/bans/read-database.ts";
import type { Parser } from "./parsers.ts";

/** What fail2ban's database and its client answer about bans. */
export const FAIL2BAN_BANS: Parser = {
  name: "fail2ban-bans",
  samples: [
    '["sshd","198.51.100.7",1795186800,600,3]\n["sshd","2001:db8::/64",1795186800,-1,1]',
    "198.51.100.7 \t2026-11-20 14:00:00 + 600 = 2026-11-20 14:10:00",
    "Status\n|- Number of jail:\t2\n`- Jail list:\trecidive, sshd\n",
  ].map((sample) => Buffer.from(sample)),
  read: (bytes) => {
    const input = bytes.toString();
    for (const jail of jailsOf(input)) banOf(input, jail);
    for (const { prefix, since, until } of readLines(`${input}\nend`, "x").bans) {
      formatPrefix(prefix);
      for (const time of [since, until]) if (time !== null) formatInstant(time);
    }
  },
};
