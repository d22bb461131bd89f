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
    counter: "enforcers.*.resyncs",
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
  folders: {
    value: 4096,
    unit: "folders",
    what: "folders that are looked into for the files of a pattern",
    full: "further folders are not looked into, and said",
    counter: "sources.*.state",
    setting: null,
  },
  syslogBytes: {
    value: 4 << 20,
    unit: "bytes",
    what: "messages of a syslog source that wait for their turn; what comes over TCP waits at the sender",
    full: "the oldest 64 KiB are dropped",
    counter: "sources.*.shed, sources.*.shedBytes",
    setting: null,
  },
  udpBytes: {
    value: 8 << 20,
    unit: "bytes",
    what: "datagrams in the kernel's buffer of a UDP socket, as far as the sysctl rmem_max allows",
    full: "the kernel drops what comes",
    counter: "sources.*.shed",
    setting: null,
  },
  senders: {
    value: 256,
    unit: "connections",
    what: "connections over TCP to a syslog source",
    full: "the one that was silent for the longest is closed",
    counter: "sources.*.turnedAway",
    setting: null,
  },
  messageTime: {
    value: 30_000,
    unit: "milliseconds",
    what: "how long a message over TCP may take from its first byte to its last",
    full: "it is dropped and the connection closed",
    counter: "sources.*.shed, sources.*.turnedAway",
    setting: null,
  },
  messageBytes: {
    value: 16 << 20,
    unit: "bytes",
    what: "the length that a message over TCP may announce",
    full: "it is dropped and the connection closed: sender and reader are out of step",
    counter: "sources.*.shed, sources.*.turnedAway",
    setting: null,
  },
  patternTime: {
    value: 100,
    unit: "milliseconds",
    what: "one try of a pattern that V8's linear engine cannot run",
    full: "it counts as no match; after five of them the pattern rests for a minute",
    counter: "sources.*.givenUp",
    setting: null,
  },
  namesAsked: {
    value: 100,
    unit: "names",
    what: "names of `usedns` jails that are looked up at the same time",
    full: "further names are not looked up",
    counter: "names.dropped",
    setting: null,
  },
  namesKnown: {
    value: 1000,
    unit: "names",
    what: "names whose addresses are remembered, for five minutes",
    full: "the one that was looked up first is forgotten",
    counter: "names.forgotten",
    setting: null,
  },
  setElements: {
    value: 1_048_576,
    unit: "elements",
    what: "bans in one set of the kernel: those of a target and an address family",
    full: "the kernel refuses the new ones",
    counter: "enforcers.*.refused",
    setting: null,
  },
  warnings: {
    value: 10,
    unit: "sentences",
    what: "warnings in the log in ten seconds",
    full: "the rest is counted, and the log says how many there were",
    counter: "log.held",
    setting: null,
  },
  controlConnections: {
    value: 64,
    unit: "connections",
    what: "connections to the control socket",
    full: "further ones are closed at once",
    counter: "control.turnedAway",
    setting: null,
  },
  requestBytes: {
    value: 1 << 20,
    unit: "bytes",
    what: "the body of a request on the control socket",
    full: "it is refused",
    counter: "control.tooLong",
    setting: null,
  },
  configLength: {
    value: 1 << 20,
    unit: "characters",
    what: "a file of the configuration",
    full: "it is refused",
    counter: "stoplog check",
    setting: null,
  },
  configDepth: {
    value: 60,
    unit: "levels",
    what: "how deep such a file may be nested; a level of the file takes one or two",
    full: "it is refused: reading it would take more stack than there is",
    counter: "stoplog check",
    setting: null,
  },
  configValues: {
    value: 200_000,
    unit: "values",
    what: "values in such a file, those behind an alias counted each time it is used",
    full: "it is refused: so much a billion laughs are",
    counter: "stoplog check",
    setting: null,
  },
  configErrors: {
    value: 100,
    unit: "errors",
    what: "errors of a configuration that are told one by one",
    full: "the rest is counted in one sentence",
    counter: "stoplog check",
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
  /** Where `status --json` counts it, or the command that tells. */
  readonly counter: string;
  /** The key of the configuration that moves it, or null. */
  readonly setting: string | null;
}
