import type { CompletedCommand, CompletedOption, CompletedValue, CompletionModel } from "./model.ts";

/** For zsh's completion system (compinit). */
export function zshCompletion({ program, commands }: CompletionModel): string {
  return `#compdef ${program}
# Completion of ${program} for zsh. To use it now:  source <(${program} completion zsh)
# and for good:  ${program} completion zsh > "\${fpath[1]}/_${program}"

# Offers what the daemon knows; nothing when it does not answer.
_${program}_words() {
  local -a found
  local at=\${words[(I)--socket]}
  if ((at)); then socket=(--socket "\${words[at + 1]}"); fi
  found=("\${(@f)$(_call_program words ${program} "\${(q)socket[@]}" complete $1 "\${(q)PREFIX}" 2>/dev/null)}")
  compadd -- \${found:#}
}

_${program}() {
  local context state state_descr line
  typeset -A opt_args
  local -a socket commands=(
${commands.map(({ name, description }) => `    ${quote(`${name}:${description}`)}\n`).join("")}  )

  _arguments -C \\
    '(- *)'{-h,--help}'[print help]' \\
    '(- *)'{-V,--version}'[print the version]' \\
    '--socket[the control socket]:path:_files' \\
    '1: :->command' \\
    '*:: :->rest'

  # Told before the command, or behind it: then _${program}_words sees it.
  if [[ -n \${opt_args[--socket]-} ]]; then socket=(--socket "\${(Q)opt_args[--socket]}"); fi

  case $state in
  command) _describe -t commands command commands ;;
  rest)
    case $words[1] in
${commands.map((command) => commandCase(command, program)).join("")}    help) _describe -t commands command commands ;;
    esac
    ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}

function commandCase(command: CompletedCommand, program: string): string {
  const specs = [
    ...command.options.map((option) => optionSpec(option, program)),
    "'(- *)'{-h,--help}'[print help]'",
    ...command.arguments.map(({ name, many, value }, i) =>
      quote(`${many ? "*" : i + 1}:${name}:${action(value, program)}`),
    ),
  ];
  return `    ${command.name})\n      _arguments \\\n${specs.map((spec) => `        ${spec}`).join(" \\\n")}\n      ;;\n`;
}

function optionSpec({ flags, description, value }: CompletedOption, program: string): string {
  const text = `[${description.replace(/[[\]\\:]/g, "\\$&")}]`;
  const behind = value === null ? "" : `:value:${action(value, program)}`;
  const exclusive = `(${flags.join(" ")})`;
  return flags.length === 1
    ? quote(`${flags.join("")}${text}${behind}`)
    : `${quote(exclusive)}{${flags.join(",")}}${quote(`${text}${behind}`)}`;
}

function action(value: CompletedValue, program: string): string {
  switch (value.kind) {
    case "files":
      return "_files";
    case "choices":
      return `(${value.choices.join(" ")})`;
    case "words":
      return value.orFiles
        ? `{_${program}_words ${value.words}; _files}`
        : `{_${program}_words ${value.words}}`;
    case "nothing":
      return " ";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
