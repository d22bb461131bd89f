import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import type { ExitStatus } from "../output/io.ts";

/**
 * The program that a command line means by its first word; null for a command of Stoplog's own. Their options are fail2ban's, so
 * commander does not see them.
 */
export function habitOf(
  argv: readonly string[],
): ((argv: readonly string[], cli: Cli) => Promise<ExitStatus>) | null {
  switch (argv[0]) {
    case "fail2ban-client":
      return client;
    case "fail2ban-regex":
      return regex;
    default:
      return null;
  }
}

/** For the help, completion, and a command line with Stoplog's options first. */
export function defineFail2ban(program: Command, cli: Cli): void {
  program
    .command("fail2ban-client")
    .description("a command of fail2ban's client, with its output and its exit status (-h lists them)")
    .usage("[options] <command>")
    .argument("[command...]", "such as status sshd, or set sshd banip 192.0.2.1")
    .allowUnknownOption()
    .helpOption(false)
    .action(
      cli.act((_: string[], __: object, command: Command) => {
        const { socket } = command.optsWithGlobals<{ socket?: string }>();
        return client([...(socket === undefined ? [] : ["--socket", socket]), ...command.args], cli);
      }),
    );
  program
    .command("fail2ban-regex")
    .description(
      "try a pattern or a filter of fail2ban on a log, printed as fail2ban-regex does (-h lists the options)",
    )
    .usage("[options] <log> <regex> [ignoreregex]")
    .argument("[words...]", "a log or a line, a pattern or a filter, and perhaps an ignoreregex")
    .allowUnknownOption()
    .helpOption(false)
    .action(cli.act((_: string[], __: object, command: Command) => regex(command.args, cli)));
}

async function regex(argv: readonly string[], cli: Cli): Promise<ExitStatus> {
  const { fail2banRegex } = await import("../fail2ban/regex.ts");
  return fail2banRegex(argv, cli, Date.now());
}

async function client(argv: readonly string[], cli: Cli): Promise<ExitStatus> {
  const { fail2banClient } = await import("../fail2ban/client.ts");
  return fail2banClient(argv, cli, Date.now());
}
