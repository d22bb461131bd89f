import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unpackedAt } from "../../scripts/debian-packages.mjs";

/**
 * Lines of fail2ban's own tests, read where Debian's package was unpacked. The numbers are what the library finds of them; it leaves out on
 * purpose what the first comments of the filters say: other versions, second lines about one attempt, lines that can be forged.
 */
export const FOUND: readonly (readonly [file: string, filters: readonly string[], found: number])[] = [
  ["apache-auth", ["apache-auth"], 25],
  ["asterisk", ["asterisk"], 40],
  ["cyrus-imap", ["cyrus"], 10],
  ["dovecot", ["dovecot"], 21],
  ["exim", ["exim"], 25],
  ["haproxy-http-auth", ["haproxy"], 3],
  ["mysqld-auth", ["mysql", "mariadb"], 15],
  ["named-refused", ["named-refused", "named"], 15],
  ["nginx-bad-request", ["nginx-scan"], 6],
  ["nginx-botsearch", ["nginx-scan", "nginx"], 8],
  ["nginx-http-auth", ["nginx-auth", "nginx"], 6],
  ["nginx-limit-req", ["nginx-limit"], 4],
  ["pam-generic", ["pam-auth"], 6],
  ["postfix", ["postfix-aggressive"], 37],
  ["proftpd", ["proftpd"], 10],
  ["pure-ftpd", ["pure-ftpd"], 1],
  ["sendmail-auth", ["sendmail"], 13],
  ["sendmail-reject", ["sendmail"], 25],
  ["sieve", ["cyrus", "dovecot"], 3],
  ["sshd", ["sshd-aggressive"], 54],
  ["sshd-journal", ["sshd-aggressive"], 44],
  ["traefik-auth", ["traefik"], 2],
  ["vsftpd", ["vsftpd"], 2],
  ["dropbear", ["dropbear"], 7],
  ["roundcube-auth", ["roundcube"], 11],
  ["freeswitch", ["freeswitch"], 7],
  ["sogo-auth", ["sogo"], 5],
  ["webmin-auth", ["webmin"], 3],
  ["mssql-auth", ["mssql"], 4],
  ["squid", ["squid"], 4],
  ["murmur", ["murmur"], 3],
  ["znc-adminlog", ["znc"], 1],
  ["ejabberd-auth", ["ejabberd"], 3],
  ["monit", ["monit"], 5],
  ["screensharingd", ["screensharing"], 3],
  ["phpmyadmin-syslog", ["phpmyadmin"], 1],
];

/**
 * Where the two read a line differently: in a name that contains ' from ', Stoplog takes the last address, which sshd wrote; in a name that
 * contains a colon, which nginx's names cannot, the first.
 */
export const OTHER_HOST =
  /: Failed password for invalid user test from 127\.0\.0\.1 port \d+ ssh2: from |user "test": password mismatch, client: 127\.0\.0\.1, .*: was not found in /;

const LOGS = join(unpackedAt("fail2ban"), "usr/lib/python3/dist-packages/fail2ban/tests/files/logs");
export const fault = existsSync(LOGS) ? null : "needs fail2ban in .cache/debian (npm test unpacks it there)";

/** The lines below a comment that says that they match, and their hosts; null where the line has none. */
export function failuresIn(file: string): { line: string; host: string | null }[] {
  let said: { match: boolean; host?: string } | null = null;
  return readFileSync(join(LOGS, file), "latin1")
    .split("\n")
    .flatMap((line) => {
      const comment = /^#\s*failJSON:\s*(\{.*\})\s*$/i.exec(line)?.[1];
      if (comment !== undefined) said = JSON.parse(comment) as { match: boolean; host?: string };
      if (comment !== undefined || line === "" || line.startsWith("#")) return [];
      const above = said;
      said = null;
      return above?.match === true ? [{ line, host: above.host ?? null }] : [];
    });
}

export function isHost(found: string | null, said: string | null): boolean {
  const plain = found?.replace(/^::ffff:/i, "").replace(/^([\d.]+):\d+$/, "$1");
  return said === null || plain?.toLowerCase() === said.toLowerCase();
}
