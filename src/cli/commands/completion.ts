import { Argument, type Command } from "commander";
import type { BanReply, StatusReply } from "../../api/wire.ts";
import type { Cli } from "../cli.ts";
import type { CompletionModel, WordList } from "../completion/model.ts";
import { DONE, type ExitStatus, NEGATIVE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";

/** `completion SHELL` prints a script; the script calls `complete WORDS [PREFIX]`, which is not in the help. */
export function defineCompletion(program: Command, cli: Cli): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .action(
      cli.act(async (shell: Shell) => {
        const { completionModel } = await import("../completion/model.ts");
        await cli.out.write((await scriptOf(shell))(completionModel(program)));
        return DONE;
      }),
    );
  program
    .command("complete", { hidden: true })
    .addArgument(new Argument("<words>").choices(["jails", "targets", "addresses", "filters"]))
    .argument("[prefix]")
    .action(
      cli.act((words: WordList, prefix: string | undefined, _: object, command: Command) =>
        complete(words, prefix ?? "", cli, command),
      ),
    );
}

type Shell = "bash" | "zsh" | "fish";

async function scriptOf(shell: Shell): Promise<(model: CompletionModel) => string> {
  switch (shell) {
    case "bash":
      return (await import("../completion/bash.ts")).bashCompletion;
    case "zsh":
      return (await import("../completion/zsh.ts")).zshCompletion;
    case "fish":
      return (await import("../completion/fish.ts")).fishCompletion;
  }
}

/** More would fill the screen, and be read by nobody. */
const MOST_WORDS = 1000;

/** How long somebody who pressed a key waits, in milliseconds. */
const PATIENCE = 1000;

/** One word a line, quietly: whoever presses a key wants no error messages in between. */
async function complete(words: WordList, prefix: string, cli: Cli, command: Command): Promise<ExitStatus> {
  try {
    const socketPath = cli.socketPath(command.optsWithGlobals<{ socket?: string }>());
    const found = (await wordsOf(words, socketPath)).filter((word) => word.startsWith(prefix));
    // A word that a terminal would obey, or that is several, is not offered.
    const safe = [...new Set(found)].filter(
      (word) => word !== "" && !/\s/.test(word) && printable(word) === word,
    );
    await cli.out.lines(safe.sort().slice(0, MOST_WORDS));
    return DONE;
  } catch {
    return NEGATIVE;
  }
}

async function wordsOf(words: WordList, socketPath: string): Promise<readonly string[]> {
  if (words === "filters") return (await import("../../config/find-filter.ts")).filterNames();
  const { ask } = await import("../control.ts");
  if (words === "addresses") {
    const bans = await ask<readonly BanReply[]>(
      socketPath,
      { method: "GET", path: "/v1/bans" },
      { silence: PATIENCE },
    );
    return bans.map((ban) => ban.address);
  }
  const status = await ask<StatusReply>(
    socketPath,
    { method: "GET", path: "/v1/status" },
    { silence: PATIENCE },
  );
  return status.jails.map((jail) => (words === "jails" ? jail.name : jail.target));
}
