import type { Command } from "commander";
import { type Cli, configPath } from "../cli.ts";
import { COULD_NOT, DONE, type ExitStatus, NEGATIVE } from "../output/io.ts";

interface RunCommandOptions {
  readonly socket?: string;
  readonly config?: string;
  readonly dryRun?: true;
  readonly flushOnExit?: true;
  readonly flush?: true;
}

export function defineRun(program: Command, cli: Cli): void {
  program
    .command("run")
    .description("the daemon, in the foreground")
    .option("-c, --config <file>", CONFIG_OPTION)
    .option("--dry-run", "decide, but enforce nothing")
    .option(
      "--flush-on-exit",
      "remove the bans from the kernel at exit instead of leaving them to expire; a start that fails removes none",
    )
    .option(
      "--flush",
      "remove the bans from the kernel and exit, for example before the program is deleted; the state keeps them",
    )
    .action(
      cli.act(async (_: RunCommandOptions, command: Command) => {
        const { runDaemon } = await import("../../daemon/run.ts");
        const options = command.optsWithGlobals<RunCommandOptions>();
        return exitStatus(
          await runDaemon({
            configPath: configPath(options),
            dryRun: options.dryRun ?? false,
            flushOnExit: (options.flushOnExit ?? false) || (options.flush ?? false),
            onlyFlush: options.flush ?? false,
            socketPath: cli.socketPath(options),
          }),
        );
      }),
    );
}

export const CONFIG_OPTION =
  "the configuration (default: /etc/stoplog/stoplog.yaml, or a built-in one that finds this machine's logs)";

function exitStatus(code: number): ExitStatus {
  return code === DONE || code === NEGATIVE ? code : COULD_NOT;
}
