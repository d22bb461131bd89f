/** Files that a syslog daemon writes for many services: one without new lines for days is abandoned. */
export const SYSLOG_FILES: ReadonlySet<string> = new Set(
  ["auth.log", "secure", "syslog", "messages", "mail.log", "maillog"].map((name) => `/var/log/${name}`),
);
