/** The command line of `fail2ban-regex`. */
export interface RegexOptions {
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
  readonly words: readonly string[];
}

/** Options may stand anywhere, as Python's optparse reads them. A string says what is wrong. */
export function readRegexOptions(argv: readonly string[]): RegexOptions | string {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const words: string[] = [];
  const left = [...argv];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === "--") words.push(...left.splice(0));
    else if (!word.startsWith("-") || word === "-") words.push(word);
    else {
      const [, name = "", given] = /^(--[^=]+|-.)=?(.+)?$/s.exec(word) ?? [];
      const long = SHORT[name] ?? name.replace(/^--/, "");
      if (FLAGS.has(long) && given === undefined) flags.add(long);
      else if (FLAGS.has(long) && /^-v+$/.test(word)) flags.add(long);
      else if (VALUED.has(long)) {
        const value = given ?? left.shift();
        if (value === undefined) return `${name} needs a value`;
        values.set(long, value);
      } else return `no such option: ${word}`;
    }
  }
  return { flags, values, words };
}

const SHORT: Readonly<Record<string, string>> = {
  "-h": "help",
  "-c": "config",
  "-d": "datepattern",
  "-e": "encoding",
  "-r": "raw",
  "-L": "maxlines",
  "-m": "journalmatch",
  "-l": "log-level",
  "-v": "verbose",
  "-D": "debuggex",
  "-o": "out",
  "-t": "log-traceback",
  "-V": "version",
  "--TZ": "timezone",
};
const FLAGS: ReadonlySet<string> = new Set([
  "help",
  "version",
  "raw",
  "verbose",
  "debuggex",
  "no-check-all",
  "print-no-missed",
  "print-no-ignored",
  "print-all-matched",
  "print-all-missed",
  "print-all-ignored",
  "log-traceback",
  "full-traceback",
]);
const VALUED: ReadonlySet<string> = new Set([
  "config",
  "datepattern",
  "timezone",
  "encoding",
  "usedns",
  "maxlines",
  "journalmatch",
  "log-level",
  "verbosity",
  "out",
]);
