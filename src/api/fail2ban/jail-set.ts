import { parseDuration } from "../../core/duration.ts";
import type { Prefix } from "../../core/prefix.ts";
import { type Duration, FOREVER } from "../../core/time.ts";
import { prefixOf } from "./banned.ts";
import type { Command, Words } from "./command.ts";
import { refused, throwRefused, wrongValue } from "./command-error.ts";
import type { JailFacts } from "./host.ts";
import { getOfJail } from "./jail-get.ts";
import type { Plain } from "./plain.ts";

/** `set JAIL WHAT …`; `words` are those after WHAT. A changed setting is answered with its new value. */
export async function setOfJail(jail: JailFacts, what: string, command: Command): Promise<Plain> {
  const { host, words } = command;
  switch (what) {
    case "banip":
      return ban(jail, command);
    case "unbanip":
      return unban(jail, command);
    case "maxretry":
      await host.change(jail.name, { maxretry: wholeNumber(words.at(0)) });
      break;
    case "findtime":
      await host.change(jail.name, { findtime: duration(words.at(0), "limited") });
      break;
    case "bantime":
      await host.change(jail.name, { bantime: duration(words.at(0), "or permanent") });
      break;
    case "ignoreself":
      await host.change(jail.name, { ignoreSelf: truth(words.at(0)) });
      break;
    case "addignoreip":
      await host.change(jail.name, { ignore: prefixes(words) });
      break;
    case "delignoreip":
      await host.change(jail.name, { unignore: prefixOf(words.at(0)) });
      break;
    default:
      throw refused(
        `Cannot set ${what}: ${WHY_NOT.get(what) ?? "Stoplog has no such setting, or changes it only in its configuration"}`,
      );
  }
  const changed = host.jails().find(({ name }) => name === jail.name) ?? jail;
  return getOfJail(changed, READ_AS[what] ?? what, command);
}

/** The number of addresses that were not banned before. */
async function ban({ name }: JailFacts, { host, words }: Command): Promise<number> {
  words.at(0);
  const { results } = await host.ban(words.from(0), name);
  throwRefused(results);
  return results.filter(({ outcome }) => outcome === "banned").length;
}

/** The number of bans that ended; with `--report-absent`, an address that this jail has not banned is an error. */
async function unban({ name }: JailFacts, { host, words }: Command): Promise<number> {
  const isStrict = words.at(0) === "--report-absent";
  const addresses = words.from(isStrict ? 1 : 0);
  const { lifted, results } = await host.unban(addresses, name);
  throwRefused(results);
  const absent = results.filter(({ outcome }) => outcome === "not banned").map(({ address }) => address);
  if (isStrict && absent.length > 0) throw wrongValue(`not banned: ${absent.join(", ")}`);
  return lifted;
}

const READ_AS: Readonly<Record<string, string>> = { addignoreip: "ignoreip", delignoreip: "ignoreip" };

const IN_FILE = "change the jail in Stoplog's configuration and reload";
const WHY_NOT: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    addlogpath: IN_FILE,
    dellogpath: IN_FILE,
    addjournalmatch: IN_FILE,
    deljournalmatch: IN_FILE,
    addfailregex: IN_FILE,
    delfailregex: IN_FILE,
    addignoreregex: IN_FILE,
    delignoreregex: IN_FILE,
    prefregex: IN_FILE,
    datepattern: IN_FILE,
    usedns: IN_FILE,
    addaction: IN_FILE,
    delaction: IN_FILE,
    action: IN_FILE,
    idle: "stop JAIL stops a jail until the next reload",
  }),
);

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw wrongValue(`'${text}' is not a whole number`);
}

function duration(text: string, range: "limited" | "or permanent"): Duration {
  const value = parseDuration(text);
  if (value !== null && value > 0 && (value !== FOREVER || range === "or permanent")) return value;
  throw wrongValue(`'${text}' is not a duration: write seconds or 10m, 1d12h`);
}

/** fail2ban's words. */
function truth(text: string): boolean {
  return ["1", "on", "true", "yes"].includes(text.toLowerCase());
}

function prefixes(words: Words): readonly Prefix[] {
  words.at(0);
  return words.from(0).map(prefixOf);
}
