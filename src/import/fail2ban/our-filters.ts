import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Disk } from "./disk.ts";
import type { JailFilter } from "./read-jails.ts";

/**
 * The library's filter for the same service and log as one of fail2ban's; null when the library has none. With `isAdded`, also one that reads
 * other lines of the service: it is added to a converted filter that lost patterns.
 */
export function ourFilter(name: string, mode: string, { isAdded = false } = {}): string | null {
  const found = Object.hasOwn(OURS, name)
    ? OURS[name]
    : isAdded && Object.hasOwn(BESIDE, name)
      ? BESIDE[name]
      : undefined;
  if (found === undefined) return null;
  return AGGRESSIVE.has(name) && STERN.has(mode) ? `${found}-aggressive` : found;
}

/** By fail2ban's name. Without its filters for scans of Apache and nginx: they read error.log, the library's read access.log. */
const OURS: Readonly<Record<string, string>> = {
  "apache-auth": "apache-auth",
  "apache-badbots": "apache-bot",
  asterisk: "asterisk",
  "cyrus-imap": "cyrus",
  dovecot: "dovecot",
  exim: "exim",
  "haproxy-http-auth": "haproxy",
  "mongodb-auth": "mongodb",
  "nginx-http-auth": "nginx",
  "nginx-limit-req": "nginx-limit",
  postfix: "postfix",
  proftpd: "proftpd",
  "pure-ftpd": "pure-ftpd",
  recidive: "recidive",
  "sendmail-auth": "sendmail",
  "sendmail-reject": "sendmail",
  slapd: "slapd",
  sshd: "sshd",
  "traefik-auth": "traefik",
  vsftpd: "vsftpd",
};

/** Filters of the library for the same service that read another log of it, or lines in another form. */
const BESIDE: Readonly<Record<string, string>> = {
  gitlab: "gitlab",
  grafana: "grafana",
  "mysqld-auth": "mysql",
  "named-refused": "named-refused",
  "pam-generic": "pam-auth",
};

const AGGRESSIVE = new Set(["sshd", "postfix"]);
const STERN = new Set(["ddos", "extra", "aggressive"]);

/** Arguments that do not change what a filter matches. */
const HARMLESS = new Set(["mode", "logtype", "_jailname", "logging"]);

/**
 * Why a filter is not the package's own; null when it is. Debian's package manager has the checksums of the package's files; without it, a
 * file counts as the package's when it has no .local file.
 */
export function whyOwn({ call, definition }: JailFilter, packaged: Packaged, disk: Disk): string | null {
  const arguments_ = [...call.options.keys()].filter((name) => !HARMLESS.has(name));
  if (arguments_.length > 0) return `the jail passes it ${arguments_.join(", ")}`;
  const files = definition.files.filter((file) => !/(?:^|\/)common\.conf$/.test(file));
  const local = files.find((file) => file.endsWith(".local"));
  return local === undefined
    ? whyChangedFile(files, "filter.d", packaged, disk)
    : `${basename(local)} changes it`;
}

/** Why one of the files of a filter or an action is not the package's; null when all are, or nothing is known of them. */
export function whyChangedFile(
  files: readonly string[],
  folder: "filter.d" | "action.d",
  packaged: Packaged,
  disk: Disk,
): string | null {
  for (const file of files) {
    const expected = packaged.get(`${folder}/${basename(file)}`);
    if (expected === undefined) {
      if (packaged.size > 0) return `${basename(file)} is not from the package`;
      continue;
    }
    const read = disk.read(file);
    if ("text" in read && md5(read.text) !== expected) return `${basename(file)} was changed`;
  }
  return null;
}

/** MD5 sums of the package's files by their path in /etc/fail2ban; empty without Debian's package manager. */
export type Packaged = ReadonlyMap<string, string>;

/** Reads the sums from dpkg's status file. */
export function packagedFiles(status: string): Packaged {
  const start = status.search(/^Package: fail2ban$/m);
  if (start < 0) return new Map();
  const end = status.indexOf("\n\n", start);
  const entry = status.slice(start, end < 0 ? undefined : end);
  const found = entry.matchAll(/^ \/etc\/fail2ban\/(\S+) ([0-9a-f]{32})\b/gm);
  return new Map([...found].map(([, path = "", sum = ""]) => [path, sum]));
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
