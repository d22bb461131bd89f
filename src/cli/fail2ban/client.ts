import type { Fail2banAnswer } from "../../api/wire.ts";
import { parseDuration } from "../../core/duration.ts";
import { StoplogError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { FOREVER, SECOND } from "../../core/time.ts";
import { version } from "../../daemon/version.ts";
import type { Cli } from "../cli.ts";
import { ask } from "../control.ts";
import { DONE, type ExitStatus, FAIL2BANS } from "../output/io.ts";
import { answerText, exceptionText } from "./answer-text.ts";
import { type ClientOptions, readClientOptions } from "./client-options.ts";
import { localMilliseconds, reprTuple } from "./python-text.ts";
import { USAGE } from "./usage.ts";

/** `stoplog fail2ban-client …`: a command of fail2ban's client, with its output and its exit status. */
export async function fail2banClient(argv: readonly string[], cli: Cli, now: number): Promise<ExitStatus> {
  const read = readClientOptions(argv);
  const say = (text: string): Promise<void> => cli.out.lines(text.split("\n").map(shown));
  const fail = (sentence: string): ExitStatus => {
    const head = `${localMilliseconds(now)} ${"fail2ban".padEnd(24)}[${process.pid}]: ERROR   `;
    cli.io.stderr.write(`${head}${printable(sentence)}\n`);
    return FAIL2BANS;
  };
  if (read === null) {
    await say(USAGE);
    return FAIL2BANS;
  }
  const early = await withoutDaemon(read);
  if (early !== null) {
    if (early.error !== undefined) return fail(early.error);
    await say(early.text);
    return early.isDone ? DONE : FAIL2BANS;
  }
  const command = asServersCommand(read.command);
  if (typeof command === "string") return fail(command);
  try {
    const socket = socketOf(read.options, cli);
    const question = { method: "POST", path: "/v1/fail2ban", body: { command } } as const;
    const answer = await ask<Fail2banAnswer>(socket, question);
    if ("value" in answer) {
      await say(answerText(command.map(String), answer.value));
      return DONE;
    }
    fail(`NOK: ${reprTuple(answer.exception.args)}`);
    await say(exceptionText(answer.exception));
    return FAIL2BANS;
  } catch (error) {
    if (error instanceof StoplogError) return fail(error.message);
    throw error;
  }
}

/** The tree has tabs. */
function shown(line: string): string {
  return line.split("\t").map(printable).join("\t");
}

type Early =
  | { readonly text: string; readonly isDone: boolean; readonly error?: undefined }
  | { readonly error: string };

/** What needs no daemon; null for a command. */
async function withoutDaemon({ options, command }: ClientOptions): Promise<Early | null> {
  const done = (text: string): Early => ({ text, isDone: true });
  const time = options.get("str2sec");
  if (time !== undefined) return secondsText(time);
  if (options.has("h") || options.has("help") || command[0] === "help") return done(USAGE);
  if (options.has("V")) return done(`1.1.0+stoplog.${version}`);
  if (options.has("version")) return done(`Stoplog ${version}, with the commands of Fail2Ban v1.1.0`);
  if (options.has("d") || options.has("dp") || options.has("dump-pretty"))
    return { error: "Cannot dump the configuration: stoplog check shows what it comes to" };
  if (options.has("i")) return { error: "Cannot ask for commands one by one: give one command at a time" };
  if (options.has("t") || options.has("test")) {
    const errors = await configErrors();
    if (errors.length > 0) return { text: errors.join("\n"), isDone: false };
    if (command.length === 0) return done("OK: configuration test is successful");
  }
  return command.length === 0 ? { text: USAGE, isDone: false } : null;
}

function secondsText(time: string): Early {
  const duration = parseDuration(time);
  if (duration === null) return { error: `'${time}' is not a duration: write 90, 10m or 1d12h` };
  return { text: String(duration === FOREVER ? -1 : duration / SECOND), isDone: true };
}

/** Stoplog's own configuration: that is what it runs with. */
async function configErrors(): Promise<readonly string[]> {
  const { configPath } = await import("../config-path.ts");
  const { readConfig } = await import("../commands/check.ts");
  return (await readConfig(configPath({}))).errors;
}

/** Commands that fail2ban's client carries out itself, as the server gets them; a string says why not. */
function asServersCommand(command: readonly string[]): readonly (string | readonly string[])[] | string {
  const [verb, ...words] = command;
  if (command.length === 1 && verb === "start")
    return "Cannot start the daemon by this command: use systemctl start stoplog";
  if (verb === "restart" && words.length === 0)
    return "Cannot restart the daemon by this command: use systemctl restart stoplog";
  if (verb !== "reload" && verb !== "restart") return command;
  const options = words.filter((word) => RELOAD_OPTIONS.has(word));
  const jails = words.filter((word) => !RELOAD_OPTIONS.has(word));
  if (jails.length > 1) return `Unexpected arguments for reload: ${words.join(" ")}`;
  return ["reload", jails[0] ?? "--all", options];
}

const RELOAD_OPTIONS: ReadonlySet<string> = new Set(["--restart", "--unban", "--if-exists"]);

/** Scripts name fail2ban's socket; the commands go through Stoplog's own. */
function socketOf(options: ReadonlyMap<string, string>, cli: Cli): string {
  const socket = options.get("socket");
  return cli.socketPath(socket === undefined || socket.endsWith("/fail2ban.sock") ? {} : { socket });
}
