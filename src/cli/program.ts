import { Command, CommanderError, Option } from "commander";
import { version } from "../daemon/version.ts";
import { defineAdopt } from "./commands/adopt.ts";
import { defineBan } from "./commands/ban.ts";
import { defineCheck } from "./commands/check.ts";
import { Cli } from "./cli.ts";
import { defineCompletion } from "./commands/completion.ts";
import { defineDemo } from "./commands/demo.ts";
import { defineDoctor } from "./commands/doctor.ts";
import { failed } from "./failed.ts";
import { COULD_NOT, DONE, type ExitStatus, type Io, ReaderGone } from "./output/io.ts";
import { defineFail2ban, habitOf } from "./commands/fail2ban.ts";
import { defineHeld } from "./commands/held.ts";
import { defineImport } from "./commands/import.ts";
import { defineKeygen } from "./commands/keygen.ts";
import { defineList } from "./commands/list.ts";
import { defineNotify } from "./commands/notify.ts";
import { defineOrder } from "./commands/order.ts";
import { printable } from "../core/printable.ts";
import { defineReload } from "./commands/reload.ts";
import { defineReplay } from "./commands/replay.ts";
import { defineRules } from "./commands/rules.ts";
import { defineRun } from "./commands/run.ts";
import { defineStatus } from "./commands/status.ts";
import { defineTest } from "./commands/test.ts";
import { defineUnban } from "./commands/unban.ts";
import { defineWhy } from "./commands/why.ts";

/** Runs one command line, `argv` without the program's name, and returns its exit status. Never throws. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitStatus> {
  const cli = new Cli(io);
  try {
    const habit = habitOf(argv);
    if (habit !== null) return await habit(argv.slice(1), cli);
    await buildProgram(cli).parseAsync([...argv], { from: "user" });
    return cli.status;
  } catch (error) {
    return ended(error, io);
  }
}

/** The tree of commands. Completion and the reference page use it too, so a command loads what it needs when it runs. */
export function buildProgram(cli: Cli): Command {
  const program = new Command("stoplog")
    .description(
      "Reads logs, finds the addresses that attack, and bans them in the kernel's firewall for a while.",
    )
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .addOption(
      new Option(
        "--socket <path>",
        "the daemon's control socket (default: $STOPLOG_SOCKET, else /run/stoplog/control.sock)",
      ),
    )
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void cli.io.stdout.write(text),
      writeErr: (text) => void cli.io.stderr.write(text),
      outputError: (text, write) => write(`${asSentence(text)}\n`),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  // In the order of the help.
  for (const define of COMMANDS) define(program, cli);
  return program;
}

const COMMANDS: readonly ((program: Command, cli: Cli) => void)[] = [
  defineRun,
  defineCheck,
  defineRules,
  defineStatus,
  defineList,
  defineBan,
  defineUnban,
  defineOrder,
  defineHeld,
  defineWhy,
  defineReload,
  defineNotify,
  defineTest,
  defineReplay,
  defineImport,
  defineAdopt,
  defineFail2ban,
  defineKeygen,
  defineDoctor,
  defineDemo,
  defineCompletion,
];

function ended(error: unknown, io: Io): ExitStatus {
  if (error instanceof ReaderGone) return DONE;
  // Commander has already printed its message.
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : COULD_NOT;
  return failed(error, io);
}

/** Kinds of orders that are not commands of their own. */
const ORDERS = ["allow", "unallow"];

/** Turns commander's "error: unknown command 'stats'\n(Did you mean status?)" into one sentence. */
function asSentence(text: string): string {
  const bare = text
    .trim()
    .replace(/^error: /, "")
    .replace(/\n\((D)/, " (d")
    .replace(/\.$/, "");
  const sentence = printable(bare.charAt(0).toUpperCase() + bare.slice(1));
  const unknown = /^Unknown command '(\w+)'$/.exec(sentence)?.[1];
  if (unknown === undefined) return sentence;
  return `${sentence} (${ORDERS.includes(unknown) ? `did you mean order ${unknown}?` : "stoplog help lists the commands"})`;
}
