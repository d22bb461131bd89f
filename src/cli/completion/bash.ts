import type { CompletedCommand, CompletedOption, CompletedValue, CompletionModel } from "./model.ts";

/**
 * For bash 4 and later, with or without the package bash-completion. Words that come from the daemon are never handed to
 * `compgen -W`, which would expand what is in them.
 */
export function bashCompletion({ program, commands }: CompletionModel): string {
  return `# Completion of ${program} for bash. To use it now:  source <(${program} completion bash)
# and for good:  ${program} completion bash > /etc/bash_completion.d/${program}

# Offers the words, one a line on standard input, that begin with $1. Bash takes a colon for the end of a word unless
# COMP_WORDBREAKS says otherwise, so of an IPv6 address only what follows the last colon is offered.
_${program}_offer() {
  local word cut=""
  if [[ $1 == *:* && $COMP_WORDBREAKS == *:* ]]; then cut=\${1%"\${1##*:}"}; fi
  while IFS= read -r word; do
    if [[ -n $word && $word == "$1"* ]]; then COMPREPLY+=("\${word#"$cut"}"); fi
  done
}

_${program}_files() {
  local word
  compopt -o filenames 2>/dev/null
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$1")
}

# The word before the cursor, put together again where bash split it at a colon.
_${program}_current() {
  local line=\${COMP_LINE:0:COMP_POINT}
  current=\${line##*[[:space:]]}
}

_${program}() {
  COMPREPLY=()
  local current previous=\${COMP_WORDS[COMP_CWORD - 1]} command="" socket=() place=0 i word skip=0
  _${program}_current

  # The command is the first word that is no option; the words behind it are counted.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((skip)); then
      skip=0
    elif [[ $word == --socket ]]; then
      socket=(--socket "\${COMP_WORDS[i + 1]-}")
      skip=1
    elif [[ -z $command && $word != -* ]]; then
      command=$word
    elif [[ $word != -* && $word != : ]]; then
      case $command\\ \${COMP_WORDS[i - 1]} in
${valuedOptions(commands)}
      *) ((++place)) ;;
      esac
    fi
  done

  case $command\\ $previous in
${commands.map(optionValues).join("")}  esac

  case $command in
  "") _${program}_offer "$current" <<< ${quote([...commands.map((command) => command.name), "help", "--help", "--version", "--socket"].join("\n"))} ;;
${commands.map((command) => commandCase(command, program)).join("")}  help) _${program}_offer "$current" <<< ${quote(commands.map((command) => command.name).join("\n"))} ;;
  esac
}

complete -F _${program} ${program}
`.replaceAll("@PROGRAM@", program);
}

/** So that the value of an option is not counted as an argument. */
function valuedOptions(commands: readonly CompletedCommand[]): string {
  const cases = commands.flatMap((command) =>
    valued(command).flatMap(({ flags }) => flags.map((flag) => `${quote(`${command.name} ${flag}`)}`)),
  );
  return `      ${cases.join(" | ")}) ;;`;
}

function optionValues(command: CompletedCommand): string {
  return valued(command)
    .map(({ flags, value }) => {
      const patterns = flags.map((flag) => quote(`${command.name} ${flag}`)).join(" | ");
      return `  ${patterns}) ${offer(value)} return ;;\n`;
    })
    .join("");
}

function commandCase(command: CompletedCommand, program: string): string {
  const flags = [...command.options.flatMap((option) => option.flags), "--help"].join("\n");
  const places = command.arguments
    .map(({ many, value }, i) => `    ${many ? `*` : i}) ${offer(value)} ;;\n`)
    .join("");
  const words = places === "" ? "" : `    case $place in\n${places}    esac\n`;
  return `  ${command.name})
    if [[ $current == -* ]]; then
      _${program}_offer "$current" <<< ${quote(flags)}
      return
    fi
${words}    ;;
`;
}

function offer(value: CompletedValue | null): string {
  switch (value?.kind) {
    case "files":
      return `_@PROGRAM@_files "$current";`;
    case "choices":
      return `_@PROGRAM@_offer "$current" <<< ${quote(value.choices.join("\n"))};`;
    case "words": {
      const ask = `_@PROGRAM@_offer "$current" < <(@PROGRAM@ "\${socket[@]}" complete ${value.words} "$current" 2>/dev/null);`;
      return value.orFiles ? `${ask} _@PROGRAM@_files "$current";` : ask;
    }
    case "nothing":
    case undefined:
      return ":;";
  }
}

function valued(command: CompletedCommand): readonly CompletedOption[] {
  return command.options.filter((option) => option.value !== null);
}

function quote(text: string): string {
  return text.includes("\n") ? `$'${text.replaceAll("\n", "\\n")}'` : `'${text}'`;
}
