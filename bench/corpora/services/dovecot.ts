import { guest, PEOPLE, type Service, USERS } from "./service.ts";

/** Dovecot 2.3 through syslog. */
export const dovecot: Service = {
  filter: "dovecot",
  failure(stamp, address, random) {
    const session = `session=<${random.hex(8)}${random.hex(8)}>`;
    return `${stamp.syslog} mail dovecot: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in ${1 + random.below(9)} secs): user=<${random.pick(USERS)}>, method=PLAIN, rip=${address}, lip=192.0.2.25, TLS, ${session}`;
  },
  noise(stamp, random) {
    const head = `${stamp.syslog} mail dovecot: `;
    const person = random.pick(PEOPLE);
    switch (random.below(4)) {
      case 0:
        return `${head}imap(${person})<${random.below(30_000)}><${random.hex(8)}>: Disconnected: Logged out in=${random.below(900)} out=${random.below(90_000)} deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0`;
      case 1:
        return `${head}lmtp(${person}@example.org)<${random.below(30_000)}><${random.hex(8)}>: msgid=<${random.hex(8)}@mail.example.net>: saved mail to INBOX`;
      case 2:
        return `${head}imap-login: Disconnected: Connection closed (no auth attempts in 0 secs): user=<>, rip=${guest(random)}, lip=192.0.2.25, TLS handshaking, session=<${random.hex(8)}>`;
      default:
        return `${head}indexer-worker(${person})<${random.below(30_000)}>: Indexed ${random.below(90)} messages in INBOX (UIDs ${random.below(900)}..${1000 + random.below(900)})`;
    }
  },
};
