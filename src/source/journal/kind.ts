import { type SourceKind, sourceKeys, type SourceOptions } from "../kind.ts";

export interface JournalOptions extends SourceOptions {
  readonly type: "journal";
  /** Such as `ssh.service`; patterns are journalctl's. */
  readonly units?: readonly string[] | undefined;
  /** `FIELD=value`, as journalctl takes them. */
  readonly matches?: readonly string[] | undefined;
  /** Programs by the name they log under. */
  readonly identifiers?: readonly string[] | undefined;
  /** A directory of journal files other than the system's. */
  readonly directory?: string | undefined;
}

/** The journal of systemd. */
export const journal: SourceKind<JournalOptions> = {
  name: "journal",
  summary: "The journal of systemd, read by journalctl.",
  description: "Entries of the systemd journal.",
  gives: "lines",
  takes: ["max_line", "timezone"],
  options: sourceKeys(
    (v) => ({
      units: v
        .oneOrMore(v.text("a unit"), "a unit or a list of them")
        .optional()
        .meta({ description: "Only entries of these units.", examples: [["ssh.service", "sshd.service"]] }),
      identifiers: v
        .oneOrMore(v.text("an identifier"), "an identifier or a list of them")
        .optional()
        .meta({
          description:
            "Only entries with these syslog identifiers. Any local user can log under any identifier.",
          examples: [["sshd", "sshd-session"]],
        }),
      directory: v
        .path()
        .optional()
        .meta({
          description: "A directory of journal files other than the system's.",
          examples: ["/srv/web/var/log/journal"],
        }),
      matches: v
        .oneOrMore(
          v.matching(
            "a field and its value such as _TRANSPORT=kernel, or + between alternatives",
            /^(?:[A-Z_][A-Z0-9_]*=|\+$)/,
          ),
          "a match or a list of them",
        )
        .optional()
        .meta({
          description:
            "Only entries with these fields, as journalctl takes them; `+` separates alternatives.",
          examples: [["_TRANSPORT=kernel"], ["_SYSTEMD_UNIT=ssh.service", "+", "_COMM=sshd"]],
        }),
    }),
    ({ units, identifiers, directory, matches }): JournalOptions => ({
      type: "journal",
      units,
      identifiers,
      matches,
      directory,
    }),
  ),
  needs: () => ({ programs: [{ program: "journalctl", package: "systemd" }] }),
  open: async (name, options, saved) =>
    new (await import("./journal-source.ts")).JournalSource(name, options, saved),
};
