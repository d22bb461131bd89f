/**
 * Every bound in the program, with its default, what happens at it and the counter that tells. docs/limits.md is made from
 * this table; a test drives each over its edge.
 */
export const LIMITS = {
  lineBytes: {
    value: 8192,
    unit: "bytes",
    what: "the longest line that is looked at",
    full: "the rest of the line is cut off",
    counter: "sources.*.cut",
    setting: "sources.*.max_line",
  },
  addresses: {
    value: 1_000_000,
    unit: "addresses",
    what: "networks a jail counts failures of at the same time (fewer when maxretry is so large that they would take over 256 MiB)",
    full: "the one that has not failed for the longest is forgotten",
    counter: "jails.*.forgotten",
    setting: "jails.*.addresses",
  },
  bans: {
    value: 1_000_000,
    unit: "bans",
    what: "bans at the same time",
    full: "the one that ends first makes room; when all are without end, the new one is refused",
    counter: "book.evicted, book.refused",
    setting: "limits.bans",
  },
  feedChanges: {
    value: 65_536,
    unit: "changes",
    what: "changes of the book that its readers can still ask for",
    full: "a reader that is further behind takes the whole book instead",
    counter: "readers.*.resyncs",
    setting: null,
  },
  evidenceLines: {
    value: 16_384,
    unit: "lines",
    what: "the latest matched lines, kept for `why`",
    full: "the oldest is forgotten",
    counter: "evidence.forgotten",
    setting: null,
  },
  evidenceBans: {
    value: 10_000,
    unit: "bans",
    what: "bans whose lines are kept for `why`",
    full: "the oldest ban's lines are forgotten, the ban stays",
    counter: "evidence.forgottenBans",
    setting: null,
  },
  files: {
    value: 1024,
    unit: "files",
    what: "files that one file source follows",
    full: "further files are not followed, and said",
    counter: "sources.*.state",
    setting: null,
  },
  behind: {
    value: 64 << 20,
    unit: "bytes",
    what: "how much of a growing file may wait unread",
    full: "the newest 64th of it goes first, and the rest is read when there is nothing newer",
    counter: "sources.*.leaps, sources.*.laterBytes",
    setting: "sources.*.max_behind",
  },
  gaps: {
    value: 32,
    unit: "gaps",
    what: "parts of one file that are left for later",
    full: "the oldest is never read, as is one whose file is cut or gone",
    counter: "sources.*.shedBytes",
    setting: null,
  },
} as const satisfies Readonly<Record<string, Limit>>;

export interface Limit {
  readonly value: number;
  readonly unit: string;
  /** What is bounded. */
  readonly what: string;
  /** What happens at the bound. */
  readonly full: string;
  /** Where `status --json` counts it. */
  readonly counter: string;
  /** The key of the configuration that moves it, or null. */
  readonly setting: string | null;
}
