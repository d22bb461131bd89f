import type { LogLevel } from "../../observe/log.ts";
import type { Words } from "./command.ts";
import { refused, wrongValue } from "./command-error.ts";
import type { Fail2banHost } from "./host.ts";
import type { Plain } from "./plain.ts";

/** An option of the whole server; undefined for another word, which is the name of a jail. */
export function getOfServer(host: Fail2banHost, option: string): Plain | undefined {
  return OPTIONS.get(option)?.(host);
}

/** Undefined when the first word is not such an option. */
export function setOfServer(host: Fail2banHost, words: Words): Plain | undefined {
  const option = words.at(0);
  if (!OPTIONS.has(option)) return undefined;
  const value = words.at(1);
  // Without a database fail2ban says so too, whatever is set.
  if (option.startsWith("db")) return null;
  if (option === "loglevel") return setLevel(host, value);
  const current = OPTIONS.get(option)?.(host);
  if (option === "logtarget" && value.toUpperCase() === current) return current;
  throw refused(`Cannot set ${option}: ${WHY_NOT.get(option) ?? "Stoplog has no such setting"}`);
}

const OPTIONS: ReadonlyMap<string, (host: Fail2banHost) => Plain> = new Map(
  Object.entries<(host: Fail2banHost) => Plain>({
    loglevel: ({ log }) => LEVELS[log.level],
    logtarget: ({ log }) => log.target,
    syslogsocket: () => "auto",
    // Stoplog's state is not fail2ban's SQLite file.
    dbfile: () => null,
    dbmaxmatches: () => null,
    dbpurgeage: () => null,
  }),
);

const WHY_NOT: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    logtarget: "Stoplog writes its log to standard error, which systemd takes to the journal",
    syslogsocket: "Stoplog writes its log to standard error, which systemd takes to the journal",
  }),
);

/** fail2ban logs bans as NOTICE, Stoplog as info. */
const LEVELS: Readonly<Record<LogLevel, string>> = {
  error: "ERROR",
  warn: "WARNING",
  info: "INFO",
  debug: "DEBUG",
};

function setLevel({ log }: Fail2banHost, value: string): string {
  const word = value.toUpperCase();
  const level = BY_WORD.get(word) ?? (/^\d{1,3}$/.test(word) ? levelOfNumber(Number(word)) : undefined);
  if (level === undefined)
    throw wrongValue(`Invalid log level ${value}: write CRITICAL, ERROR, WARNING, NOTICE, INFO or DEBUG`);
  log.level = level;
  return LEVELS[level];
}

const BY_WORD: ReadonlyMap<string, LogLevel> = new Map(
  Object.entries<LogLevel>({
    CRITICAL: "error",
    ERROR: "error",
    WARNING: "warn",
    NOTICE: "info",
    INFO: "info",
    DEBUG: "debug",
    TRACEDEBUG: "debug",
    HEAVYDEBUG: "debug",
  }),
);

/** Python's numbers of levels; NOTICE is 25. */
function levelOfNumber(number: number): LogLevel {
  if (number > 30) return "error";
  if (number > 25) return "warn";
  return number >= 20 ? "info" : "debug";
}
