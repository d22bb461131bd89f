import type { Argument, Command, Option } from "commander";

/** What the last word of a command line may be. */
export interface Candidates {
  readonly words: readonly Candidate[];
  /** Words of the daemon or the filter library. */
  readonly list: WordList | null;
  readonly files: boolean;
}

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

export type WordList = "jails" | "targets" | "addresses" | "filters" | "notify";

/**
 * The candidates for the last of `words`, which follow the program's name. They come from commander's tree, so a new command or option is
 * completed at once. They are not yet filtered by what the last word begins with.
 */
export function candidatesAt(program: Command, words: readonly string[]): Candidates {
  const current = words.at(-1) ?? "";
  let command = program;
  let place = 0;
  let open: Option | null = null;
  for (const word of words.slice(0, -1)) {
    if (open !== null) open = null;
    else if (word.startsWith("-")) open = valuedOption(optionsOf(command, program), word);
    else if (command !== program) place++;
    else if (word === "help") return commandsOf(program);
    else {
      const named = program.commands.find((one) => one.name() === word);
      if (named === undefined) return NONE;
      command = named;
    }
  }
  if (open !== null) return valueOf(command, open.long ?? "", open);
  if (current.startsWith("-")) return flagsOf(command, program);
  if (command === program) return commandsOf(program);
  const { registeredArguments } = command;
  const argument = registeredArguments[place] ?? registeredArguments.find(({ variadic }) => variadic);
  return argument === undefined ? NONE : valueOf(command, argument.name(), argument);
}

const NONE: Candidates = { words: [], list: null, files: false };

/** Values that commander does not know. The key is a command and its option or argument, or an option alone. */
export const VALUES: Readonly<Record<string, Partial<Candidates>>> = {
  "status jail": { list: "jails" },
  "ban --jail": { list: "jails" },
  "ban --target": { list: "targets" },
  "ban --for": { words: ["10m", "1h", "1d", "-1"].map((word) => ({ word, description: "" })) },
  "unban address": { list: "addresses" },
  "notify name": { list: "notify" },
  "why address": { list: "addresses" },
  "test filter": { list: "filters", files: true },
  "test file": { files: true },
  "replay log": { files: true },
  "import path": { files: true },
  "import --output": { files: true },
  "keygen --output": { files: true },
  "--config": { files: true },
  "--socket": { files: true },
};

function valueOf(command: Command, name: string, { argChoices }: Option | Argument): Candidates {
  const words = argChoices?.map((word) => ({ word, description: "" })) ?? [];
  return { ...NONE, words, ...(VALUES[`${command.name()} ${name}`] ?? VALUES[name]) };
}

function commandsOf(program: Command): Candidates {
  const commands = program.commands.filter((command) => !isHidden(command));
  return {
    ...NONE,
    words: [
      ...commands.map((command) => ({ word: command.name(), description: command.description() })),
      { word: "help", description: "print help for a command" },
    ],
  };
}

function flagsOf(command: Command, program: Command): Candidates {
  const options = optionsOf(command, program).filter(({ hidden }) => !hidden);
  return {
    ...NONE,
    words: [
      ...options.map(({ long, description }) => ({ word: long ?? "", description })),
      { word: "--help", description: "print help" },
    ],
  };
}

/** A command's own options and the global ones. */
function optionsOf(command: Command, program: Command): readonly Option[] {
  if (command === program) return program.options;
  return [...command.options, ...program.options.filter(({ long }) => long !== "--version")];
}

/** The option of this name, if it takes a value. */
function valuedOption(options: readonly Option[], word: string): Option | null {
  const option = options.find(({ short, long }) => word === short || word === long);
  return option !== undefined && (option.required || option.optional) ? option : null;
}

/** Commander's help uses this private mark, too. */
export function isHidden(command: Command): boolean {
  return (command as unknown as { readonly _hidden?: boolean })._hidden === true;
}
