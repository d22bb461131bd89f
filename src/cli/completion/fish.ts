import type {
  CompletedArgument,
  CompletedCommand,
  CompletedOption,
  CompletedValue,
  CompletionModel,
} from "./model.ts";

/** For fish 3 and later. */
export function fishCompletion({ program, commands }: CompletionModel): string {
  const names = commands.map((command) => command.name);
  const lines = [
    `complete -c ${program} -f`,
    `complete -c ${program} -n __fish_use_subcommand -s h -l help -d 'print help'`,
    `complete -c ${program} -n __fish_use_subcommand -s V -l version -d 'print the version'`,
    `complete -c ${program} -n __fish_use_subcommand -l socket -r -F -d 'the control socket'`,
    ...commands.map(
      ({ name, description }) =>
        `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quote(description)}`,
    ),
    `complete -c ${program} -n '__fish_seen_subcommand_from help' -a ${quote(names.join(" "))}`,
    ...commands.flatMap((command) => commandLines(command, program)),
  ];
  return `# Completion of ${program} for fish. To use it now:  ${program} completion fish | source
# and for good:  ${program} completion fish > ~/.config/fish/completions/${program}.fish

# Offers what the daemon knows; nothing when it does not answer.
function __${program}_words
    set -l words (commandline -opc)
    set -l socket
    if set -l at (contains -i -- --socket $words)
        set socket --socket $words[(math $at + 1)]
    end
    ${program} $socket complete $argv[1] (commandline -ct) 2>/dev/null
end

${lines.join("\n")}
`;
}

function commandLines(command: CompletedCommand, program: string): readonly string[] {
  const seen = quote(`__fish_seen_subcommand_from ${command.name}`);
  const start = `complete -c ${program} -n ${seen}`;
  return [
    ...command.options.map((option) => `${start}${optionFlags(option)} -d ${quote(option.description)}`),
    `${start} -s h -l help -d 'print help'`,
    ...command.arguments.flatMap((argument) => argumentLine(argument, start, program)),
  ];

  function optionFlags({ flags, value }: CompletedOption): string {
    const named = flags.map((flag) =>
      flag.startsWith("--") ? ` -l ${flag.slice(2)}` : ` -s ${flag.slice(1)}`,
    );
    return `${named.join("")}${value === null ? "" : ` -x${offered(value, program)}`}`.replace(
      " -x -F",
      " -r -F",
    );
  }
}

function argumentLine({ value }: CompletedArgument, start: string, program: string): readonly string[] {
  const offer = offered(value, program);
  return offer === "" ? [] : [`${start}${offer}`];
}

function offered(value: CompletedValue, program: string): string {
  switch (value.kind) {
    case "files":
      return " -F";
    case "choices":
      return ` -a ${quote(value.choices.join(" "))}`;
    case "words":
      return `${value.orFiles ? " -F" : ""} -a ${quote(`(__${program}_words ${value.words})`)}`;
    case "nothing":
      return "";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
