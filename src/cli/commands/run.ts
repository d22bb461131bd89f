import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import type { RunArguments } from "../run-arguments.ts";
import { runCommand } from "../run-command.ts";

export function defineRun(program: Command, cli: Cli): void {
  program
    .command("run")
    .description("the daemon, in the foreground")
    .option("-c, --config <file>", CONFIG_OPTION)
    .option("--fail2ban <folder>", FAIL2BAN_OPTION)
    .option("--dry-run", "decide, but enforce nothing")
    .option(
      "--flush-on-exit",
      "remove the bans from the kernel at exit instead of leaving them to expire; a start that fails removes none",
    )
    .option(
      "--flush",
      "remove the bans from the kernel and exit, for example before the program is deleted; the state keeps them",
    )
    .option(
      "--takeover",
      "take the sockets and the state of the running daemon, which ends then; it stays if this one cannot start",
    )
    .action(
      cli.act((_: RunArguments, command: Command) =>
        runCommand(command.optsWithGlobals<RunArguments>(), cli.io.env),
      ),
    );
}

export const FAIL2BAN_OPTION =
  "take sources, targets and jails from fail2ban's folder, at the start and at each reload; other sections from the file after -c, if any";
export const CONFIG_OPTION =
  "the configuration (default: /etc/stoplog/stoplog.yaml, or a built-in one that finds this machine's logs)";
