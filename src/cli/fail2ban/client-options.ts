/** The command line of `fail2ban-client`: options before the first word of the command, as Python's getopt reads them. */
export interface ClientOptions {
  /** Names without hyphens; the value of an option that takes none is empty. */
  readonly options: ReadonlyMap<string, string>;
  readonly command: readonly string[];
}

/** Null for an unknown option, or one that lacks its value. */
export function readClientOptions(argv: readonly string[]): ClientOptions | null {
  const options = new Map<string, string>();
  const left = [...argv];
  for (;;) {
    const [word] = left;
    if (word === undefined || !word.startsWith("-") || word === "-") return { options, command: left };
    left.shift();
    if (word === "--") return { options, command: left };
    if (!(word.startsWith("--") ? readLong(word, left, options) : readShort(word, left, options)))
      return null;
  }
}

function readLong(word: string, left: string[], options: Map<string, string>): boolean {
  const [, name = "", given] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
  if (FLAGS.has(name)) {
    options.set(name, "");
    return given === undefined;
  }
  const value = given ?? left.shift();
  if (!VALUED.has(name) || value === undefined) return false;
  options.set(name, value);
  return true;
}

/** `-xvd`; the value of the last one may follow at once: `-cDIR`. */
function readShort(word: string, left: string[], options: Map<string, string>): boolean {
  for (let i = 1; i < word.length; i++) {
    const letter = word.charAt(i);
    const name = SHORT[letter];
    if (name === undefined) {
      if (!LETTERS.includes(letter)) return false;
      options.set(letter, "");
      continue;
    }
    const value = i + 1 < word.length ? word.slice(i + 1) : left.shift();
    if (value === undefined) return false;
    options.set(name, value);
    return true;
  }
  return true;
}

/** Short options with a value, by their long names. */
const SHORT: Readonly<Record<string, string>> = { c: "conf", s: "socket", p: "pidfile" };
const LETTERS = "hxfbdtviqV";
const FLAGS: ReadonlySet<string> = new Set(["test", "async", "help", "version", "dp", "dump-pretty"]);
const VALUED: ReadonlySet<string> = new Set([
  "conf",
  "socket",
  "pidfile",
  "pname",
  "loglevel",
  "logtarget",
  "syslogsocket",
  "timeout",
  "str2sec",
]);
