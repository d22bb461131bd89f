/** Files that a syslog daemon writes for many services: one that is silent for days is a leftover. */
export const SYSLOG_FILES: ReadonlySet<string> = new Set(
  ["auth.log", "secure", "syslog", "messages", "mail.log", "maillog"].map((name) => `/var/log/${name}`),
);
