import type { Argument, Command, Option } from "commander";
import { Readable, Writable } from "node:stream";
import { Cli } from "./cli.ts";
import { isHidden } from "./completion/candidates.ts";
import { buildProgram } from "./program.ts";

/** docs/reference/cli.md, from the tree of commands. */
export function renderCliReference(): string {
  const { options, commands } = commandTree();
  return [
    "# Commands",
    "",
    "<!-- Generated from src/cli by scripts/generate-reference.ts. Do not edit. -->",
    "",
    "Exit status: 0 done; 1 a negative answer; 2 could not. Errors go to standard error, one sentence each. Control characters in",
    "text from a log are escaped. `--json` prints one JSON document.",
    "",
    "Options of every command:",
    "",
    ...optionLines(options),
    "- `-h, --help`: print help",
    "",
    ...commands.flatMap(commandLines),
  ].join("\n");
}

/** What a page about the commands needs; the man pages are made from it too. */
export function commandTree() {
  const program = buildProgram(new Cli(nowhere()));
  return {
    description: program.description(),
    options: program.options,
    commands: program.commands.filter((command) => !isHidden(command)),
  };
}

function commandLines(command: Command): readonly string[] {
  const usage = ["stoplog", command.name(), command.usage()].join(" ");
  const args = command.registeredArguments.map(argumentLine);
  return [
    `## ${command.name()}`,
    "",
    "```",
    usage,
    "```",
    "",
    `${sentence(command.description())}.`,
    "",
    ...args,
    ...optionLines(command.options),
    ...(args.length + command.options.length > 0 ? [""] : []),
  ];
}

function argumentLine(argument: Argument): string {
  const choices = argument.argChoices === undefined ? "" : ` (${argument.argChoices.join(", ")})`;
  return `- \`${argument.name()}\`: ${argument.description}${choices}`;
}

function optionLines(options: readonly Option[]): readonly string[] {
  return options
    .filter((option) => !option.hidden)
    .map(({ flags, description, defaultValue }) => {
      const standard = typeof defaultValue === "number" ? ` (default: ${defaultValue})` : "";
      return `- \`${flags}\`: ${description}${standard}`;
    });
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function nowhere() {
  const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
  return { stdin: Readable.from([]), stdout: sink, stderr: sink, env: {}, isTTY: false };
}
