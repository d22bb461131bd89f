import type { Argument, Command, Option } from "commander";
import { commandTree } from "../../src/cli/reference.ts";
import { entry, escaped, head, inline, paragraph, section } from "./roff.ts";

/** stoplog.1, and a page for each command, from the tree of commands. */
export function commandPages(): readonly (readonly [name: string, text: string])[] {
  const program = commandTree();
  return [
    ["stoplog.1", mainPage(program)],
    ...program.commands.map((command) => commandPage(command, program)),
  ];
}

function mainPage(program: {
  readonly description: string;
  readonly options: readonly Option[];
  readonly commands: readonly Command[];
}): string {
  const names = program.commands.map((command) => command.name());
  return page([
    head("stoplog", 1, "bans attackers in the kernel's firewall"),
    section("Synopsis"),
    "\\fBstoplog\\fR [\\fIoptions\\fR] \\fIcommand\\fR",
    section("Description"),
    inline(program.description),
    section("Commands"),
    ...program.commands.map((command) =>
      entry(`stoplog-${command.name()}(1)`, inline(command.description())),
    ),
    section("Options"),
    ...program.options.map(option),
    ...EXIT,
    section("Files"),
    entry("/etc/stoplog/stoplog.yaml", "The configuration."),
    entry("/var/lib/stoplog", "Bans, counters and read positions."),
    entry("/run/stoplog/control.sock", "The daemon's control socket."),
    section("See also"),
    seeAlso(["stoplog.yaml(5)", ...names.map((name) => `stoplog-${name}(1)`)]),
  ]);
}

function commandPage(
  command: Command,
  program: { readonly options: readonly Option[] },
): readonly [string, string] {
  const options = command.options.filter(({ hidden }) => !hidden);
  const text = page([
    head(`stoplog-${command.name()}`, 1, command.description().split(/[;:,.] /)[0] ?? ""),
    section("Synopsis"),
    `\\fBstoplog ${escaped(command.name())}\\fR ${escaped(command.usage())}`,
    section("Description"),
    inline(`${sentence(command.description())}.`),
    ...(command.registeredArguments.length > 0
      ? [section("Arguments"), ...command.registeredArguments.map(argument)]
      : []),
    section("Options"),
    ...[...options, ...program.options].map(option),
    ...EXIT,
    section("See also"),
    seeAlso(["stoplog(1)", "stoplog.yaml(5)"]),
  ]);
  return [`stoplog-${command.name()}.1`, text];
}

const EXIT = [section("Exit status"), paragraph("0 done; 1 a negative answer; 2 could not.")];

function argument(taken: Argument): string {
  const choices = taken.argChoices === undefined ? "" : ` (${taken.argChoices.join(", ")})`;
  return entry(taken.name(), inline(`${taken.description}${choices}`));
}

function option({ flags, description, defaultValue }: Option): string {
  const standard = typeof defaultValue === "number" ? ` (default: ${defaultValue})` : "";
  return entry(flags, inline(`${description}${standard}`));
}

function seeAlso(pages: readonly string[]): string {
  return pages.map((name) => escaped(name).replace(/^(.*)\((\d)\)$/, "\\fB$1\\fR($2)")).join(",\n");
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function page(blocks: readonly string[]): string {
  return `${blocks.join("\n")}\n`;
}
