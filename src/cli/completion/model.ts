import type { Argument, Command, Option } from "commander";

/** What a completion script has to know, taken from commander's own tree so that it cannot be out of date. */
export interface CompletionModel {
  readonly program: string;
  readonly commands: readonly CompletedCommand[];
}

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  readonly arguments: readonly CompletedArgument[];
}

export interface CompletedOption {
  /** `-c` and `--config`, as far as it has them. */
  readonly flags: readonly string[];
  readonly description: string;
  /** What comes behind it; null for an option without a value. */
  readonly value: CompletedValue | null;
}

export interface CompletedArgument {
  readonly name: string;
  readonly many: boolean;
  readonly value: CompletedValue;
}

/** What a word is completed with. */
export type CompletedValue =
  | { readonly kind: "nothing" }
  | { readonly kind: "files" }
  | { readonly kind: "choices"; readonly choices: readonly string[] }
  /** Asked of `stoplog complete`, which asks the daemon. */
  | { readonly kind: "words"; readonly words: WordList; readonly orFiles: boolean };

export type WordList = "jails" | "targets" | "addresses" | "filters";

export function completionModel(program: Command): CompletionModel {
  const commands = program.commands.filter((command) => !isHidden(command));
  const globals = program.options.filter((option) => option.long !== "--version");
  return {
    program: program.name(),
    commands: commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      options: [...command.options, ...globals]
        .filter((option) => !option.hidden)
        .map((option) => completedOption(command, option)),
      arguments: command.registeredArguments.map((argument) => completedArgument(command, argument)),
    })),
  };
}

/** Commander keeps this to itself; the help leaves such commands out by the same mark. */
export function isHidden(command: Command): boolean {
  return (command as unknown as { readonly _hidden?: boolean })._hidden === true;
}

/** What cannot be read from the tree: which words mean what. The key is the command and the argument or option. */
export const WORDS: Readonly<Record<string, CompletedValue>> = {
  "status jail": { kind: "words", words: "jails", orFiles: false },
  "ban --jail": { kind: "words", words: "jails", orFiles: false },
  "ban --target": { kind: "words", words: "targets", orFiles: false },
  "ban --for": { kind: "choices", choices: ["10m", "1h", "1d", "-1"] },
  "unban address": { kind: "words", words: "addresses", orFiles: false },
  "why address": { kind: "words", words: "addresses", orFiles: false },
  "test filter": { kind: "words", words: "filters", orFiles: true },
  "test file": { kind: "files" },
  "import path": { kind: "files" },
  "import --output": { kind: "files" },
  "keygen --output": { kind: "files" },
  "run --config": { kind: "files" },
  "check --config": { kind: "files" },
  "doctor --config": { kind: "files" },
  "--socket": { kind: "files" },
};

function completedOption(command: Command, option: Option): CompletedOption {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const takesValue = option.required || option.optional;
  const key = option.long ?? "";
  return {
    flags,
    description: option.description,
    value: takesValue ? (WORDS[`${command.name()} ${key}`] ?? WORDS[key] ?? NOTHING) : null,
  };
}

function completedArgument(command: Command, argument: Argument): CompletedArgument {
  const name = argument.name();
  const value =
    argument.argChoices === undefined
      ? (WORDS[`${command.name()} ${name}`] ?? NOTHING)
      : ({ kind: "choices", choices: argument.argChoices } as const);
  return { name, many: argument.variadic, value };
}

const NOTHING: CompletedValue = { kind: "nothing" };
