import { StoplogError } from "../../core/errors.ts";
import { bannedEverywhere, bannedJails } from "./banned.ts";
import { type Command, Words } from "./command.ts";
import { CommandError, refused, throwRefused, unknownJail, wrongValue } from "./command-error.ts";
import type { Fail2banHost, JailFacts } from "./host.ts";
import { getOfJail } from "./jail-get.ts";
import { setOfJail } from "./jail-set.ts";
import { Lists } from "./lists.ts";
import type { Answer, Plain } from "./plain.ts";
import { getOfServer, setOfServer } from "./server-options.ts";
import { jailStatus, serverStatus } from "./status.ts";

export { Lists };

/** Carries out one command of `fail2ban-client`, as the words that it sends. Never rejects. */
export async function answerCommand(host: Fail2banHost, command: Plain, lists: Lists): Promise<Answer> {
  try {
    if (!Array.isArray(command)) throw wrongValue("Cannot read the command: it is not a list of words");
    const words = new Words(command);
    const carryOut = COMMANDS.get(words.at(0));
    if (carryOut === undefined) throw refused(`Invalid command: Stoplog has no command ${words.at(0)}`);
    return { value: await carryOut({ host, lists, words: words.after(1) }) };
  } catch (error) {
    if (error instanceof CommandError) return { exception: error.exception };
    if (error instanceof StoplogError) return { exception: refused(error.message).exception };
    const fact = error instanceof Error ? error.message : String(error);
    return { exception: refused(`Cannot carry out the command: ${fact}`).exception };
  }
}

/** Programs compare it: the version of fail2ban whose commands these are, and Stoplog's own. */
export function versionText({ version }: Pick<Fail2banHost, "version">): string {
  return `1.1.0+stoplog.${version}`;
}

type CarryOut = (command: Command) => Plain | Promise<Plain>;

const configured: CarryOut = () => {
  throw refused("Cannot take a configuration: Stoplog reads its own (stoplog import fail2ban writes one)");
};

const COMMANDS: ReadonlyMap<string, CarryOut> = new Map(
  Object.entries<CarryOut>({
    ping: () => "pong",
    version: ({ host }: Command) => versionText(host),
    "server-status": () => "Server ready",
    echo: ({ words }: Command) => words.from(0),
    // Stoplog's log is not a file that it could open again.
    flushlogs: () => "flushed",
    status,
    get,
    set,
    banned: ({ host, words, lists }: Command) =>
      words.length === 0 ? bannedEverywhere(host, lists) : bannedJails(host, words.from(0)),
    unban,
    start,
    stop,
    reload,
    add: configured,
    "multi-set": configured,
    "server-stream": configured,
  }),
);

function status({ host, words, lists }: Command): Plain | Promise<Plain> {
  if (words.length === 0) return serverStatus(host);
  if (words.at(0) !== "--all") return jailStatus(jailOf(host, words.at(0)), host, lists, flavorOf(words));
  return everyStatus(host, lists, flavorOf(words));
}

/** As fail2ban 1.1: the server's rows, then each jail's. */
async function everyStatus(host: Fail2banHost, lists: Lists, flavor: string): Promise<Plain> {
  const jails = new Map<string, Plain>();
  for (const jail of host.jails()) jails.set(jail.name, await jailStatus(jail, host, lists, flavor));
  return [...serverStatus(host), jails];
}

function flavorOf(words: Words): string {
  return words.length > 1 ? words.at(1) : "basic";
}

function get({ host, words, lists }: Command): Plain | Promise<Plain> {
  const option = getOfServer(host, words.at(0));
  if (option !== undefined) return option;
  const what = words.at(1);
  return getOfJail(jailOf(host, words.at(0)), what, { host, lists, words: words.after(2) });
}

function set({ host, words, lists }: Command): Plain | Promise<Plain> {
  const option = setOfServer(host, words);
  if (option !== undefined) return option;
  const what = words.at(1);
  return setOfJail(jailOf(host, words.at(0)), what, { host, lists, words: words.after(2) });
}

async function unban({ host, words }: Command): Promise<Plain> {
  if (words.length === 1 && words.at(0) === "--all") return host.unbanAll(null);
  words.at(0);
  const { lifted, results } = await host.unban(words.from(0), null);
  throwRefused(results);
  return lifted;
}

async function start({ host, words }: Command): Promise<null> {
  const name = words.at(0);
  if (host.stoppedJails().includes(name)) await host.change(name, { isStopped: false });
  else jailOf(host, name);
  return null;
}

/** As in fail2ban, the bans of a stopped jail end. */
async function stop({ host, words }: Command): Promise<null> {
  if (words.length === 0) throw refused("Cannot stop the daemon by this command: use systemctl stop stoplog");
  const name = words.at(0);
  const jails = name === "--all" ? host.jails() : [jailOf(host, name)];
  for (const jail of jails) {
    await host.change(jail.name, { isStopped: true });
    await host.unbanAll(jail.name);
  }
  return null;
}

/** fail2ban's client sends what it has read of fail2ban's files; Stoplog reads its own configuration instead. */
async function reload({ host, words }: Command): Promise<Plain> {
  const name = words.length === 0 ? "--all" : words.at(0);
  const options = words.length > 1 ? new Words(words.listAt(1)).from(0) : [];
  const isKnown = name === "--all" || host.stoppedJails().includes(name) || find(host, name) !== undefined;
  if (!isKnown && !options.includes("--if-exists")) throw unknownJail(name);
  if (options.includes("--unban")) await host.unbanAll(name === "--all" ? null : name);
  const { reloaded, sentences } = await host.reload();
  if (!reloaded) throw refused(sentences.join("; "));
  return "OK";
}

function jailOf(host: Fail2banHost, name: string): JailFacts {
  const jail = find(host, name);
  if (jail === undefined) throw unknownJail(name);
  return jail;
}

function find(host: Fail2banHost, name: string): JailFacts | undefined {
  return host.jails().find((jail) => jail.name === name);
}
