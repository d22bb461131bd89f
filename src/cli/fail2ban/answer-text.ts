import { printed, repr } from "./python-text.ts";
import { statusText } from "./status-text.ts";

/** What `fail2ban-client` prints for the value that a command was answered with. */
export function answerText(command: readonly string[], value: unknown): string {
  const [verb = "", second = "", third = ""] = command;
  const text = BY_VERB.get(verb)?.(value, command);
  if (text !== undefined) return text;
  if (verb !== "get" && verb !== "set") return printed(value);
  return BY_OPTION.get(second)?.(value, command) ?? BY_SETTING.get(third)?.(value, command) ?? printed(value);
}

/** What it prints for an exception. */
export function exceptionText({
  type,
  args,
}: {
  readonly type: string;
  readonly args: readonly unknown[];
}): string {
  if (type === "UnknownJailException") return `Sorry but the jail '${printed(args[0])}' does not exist`;
  if (type === "IndexError") return "Sorry but the command is invalid";
  return args.map(printed).join(", ");
}

type Text = (value: unknown, command: readonly string[]) => string | undefined;

const BY_VERB: ReadonlyMap<string, Text> = new Map(
  Object.entries<Text>({
    ping: (value) => `Server replied: ${printed(value)}`,
    start: () => "Jail started",
    stop: (_, command) => (command.length > 1 ? "Jail stopped" : undefined),
    flushlogs: (value) => `logs: ${printed(value)}`,
    echo: (value) => listOf(value).join(" "),
    status: (value, command) => statusText(command, value),
  }),
);

const BY_OPTION: ReadonlyMap<string, Text> = new Map(
  Object.entries<Text>({
    loglevel: (value) => `Current logging level is ${repr(value)}`,
    logtarget: (value) => `Current logging target is:\n\`- ${printed(value)}`,
    syslogsocket: (value) => `Current syslog socket is:\n\`- ${printed(value)}`,
    dbfile: () => NO_DATABASE,
    dbpurgeage: () => NO_DATABASE,
  }),
);
const NO_DATABASE = "Database currently disabled";

const files: Text = (value) =>
  branches("No file is currently monitored", "Current monitored log file(s):", listOf(value));
const ignored: Text = (value) =>
  branches("No IP address/network is ignored", "These IP addresses/networks are ignored:", listOf(value));
const patterns: Text = (value) =>
  branches(
    "No regular expression is defined",
    "The following regular expression are defined:",
    listOf(value).map((pattern, index) => `[${index}]: ${pattern}`),
  );

const BY_SETTING: ReadonlyMap<string, Text> = new Map(
  Object.entries<Text>({
    logpath: files,
    logencoding: (value) => `Current log encoding is set to:\n${printed(value)}`,
    journalmatch: (value) => {
      const matches = Array.isArray(value) ? value : [];
      if (matches.length === 0) return "No journal match filter set";
      return `Current match filter:\n${matches.map((match) => listOf(match).join(" ")).join(" + ")}`;
    },
    datepattern: (value) =>
      `Current date pattern set to: ${value === null ? "Not set/required" : `${listOf(value)[0]} (${listOf(value)[1]})`}`,
    ignoreip: ignored,
    addignoreip: ignored,
    delignoreip: ignored,
    failregex: patterns,
    ignoreregex: patterns,
    actions: (value, [, jail = ""]) => {
      const actions = listOf(value);
      return actions.length === 0
        ? `No actions for jail ${jail}`
        : `The jail ${jail} has the following actions:\n${actions.join(", ")}`;
    },
    banip: (value, [verb, , , separator = " "]) =>
      verb === "get" ? listOf(value).join(separator === "--with-time" ? "\n" : separator) : undefined,
  }),
);

function branches(none: string, heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return none;
  return [heading, ...lines.map((line, i) => `${i === lines.length - 1 ? "`-" : "|-"} ${line}`)].join("\n");
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(printed) : [];
}
