import { Argument, type Command } from "commander";
import type { BanReply, StatusReply } from "../../api/wire.ts";
import { printable } from "../../core/printable.ts";
import type { Cli } from "../cli.ts";
import type { Candidate, WordList } from "../completion/candidates.ts";
import type { Shell } from "../completion/scripts.ts";
import { DONE, type ExitStatus, NEGATIVE } from "../output/io.ts";

/** `completion SHELL` prints a script; the script asks `complete`, which the help does not show. */
export function defineCompletion(program: Command, cli: Cli): void {
  program
    .command("completion")
    .description("print a completion script for a shell")
    .addArgument(new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .action(
      cli.act(async (shell: Shell) => {
        const { SCRIPTS } = await import("../completion/scripts.ts");
        await cli.out.write(SCRIPTS[shell]);
        return DONE;
      }),
    );
  program
    .command("complete", { hidden: true })
    .argument("[word...]")
    .action(cli.act((words: string[]) => complete(words, program, cli)));
}

/** The most words to offer: more do not fit a screen. */
const MOST_WORDS = 1000;

/** How long to wait for the daemon, in ms: a person has pressed a key. */
const PATIENCE = 1000;

/** Never prints an error: it would appear in the middle of the line that is being typed. */
async function complete(words: readonly string[], program: Command, cli: Cli): Promise<ExitStatus> {
  const { candidatesAt } = await import("../completion/candidates.ts");
  const { words: known, list, files } = candidatesAt(program, words);
  const listed = list === null ? [] : await wordsOf(list, socketIn(words, cli)).catch(() => null);
  const current = words.at(-1) ?? "";
  await cli.out.lines([
    ...known.filter(({ word }) => word.startsWith(current)).map(lineOf),
    ...offered(listed ?? [], current),
    ...(files ? [":files"] : []),
  ]);
  return listed === null ? NEGATIVE : DONE;
}

/** Drops what is not one word, or has control characters that a terminal would obey. */
function offered(words: readonly string[], current: string): readonly string[] {
  const safe = words.filter(
    (word) => word !== "" && word.startsWith(current) && !/\s/.test(word) && printable(word) === word,
  );
  return [...new Set(safe)].sort().slice(0, MOST_WORDS);
}

function lineOf({ word, description }: Candidate): string {
  return description === "" ? word : `${word}\t${description}`;
}

/** The control socket that the command line names. */
function socketIn(words: readonly string[], cli: Cli): string {
  const at = words.indexOf("--socket");
  const socket = at < 0 ? undefined : words[at + 1];
  return cli.socketPath(socket === undefined ? {} : { socket });
}

async function wordsOf(list: WordList, socketPath: string): Promise<readonly string[]> {
  if (list === "filters") return (await import("../../config/find-filter.ts")).filterNames();
  const { ask, askForLines } = await import("../control.ts");
  if (list === "addresses") {
    const addresses: string[] = [];
    for await (const bans of askForLines<BanReply>(socketPath, "/v1/bans", { silence: PATIENCE }))
      for (const { address } of bans) addresses.push(address);
    return addresses;
  }
  const request = { method: "GET", path: "/v1/status" } as const;
  const { jails, notify } = await ask<StatusReply>(socketPath, request, { silence: PATIENCE });
  if (list === "notify") return notify.map(({ name }) => name);
  return jails.map((jail) => (list === "jails" ? jail.name : jail.target));
}
