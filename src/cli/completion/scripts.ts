export type Shell = "bash" | "zsh" | "fish";

/**
 * For each shell a script that asks `stoplog complete -- WORD…` for candidates for the last word. The answer has one word a line, a tab
 * and its description after it; the line `:files` means names of files, which the shell completes itself.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  // By default bash ends a word at a colon: of an IPv6 address it expects the part after the last one.
  bash: `# Completion of stoplog for bash. To use it now:  source <(stoplog completion bash)
# and permanently:  stoplog completion bash > /etc/bash_completion.d/stoplog

_stoplog() {
  local line=\${COMP_LINE:0:COMP_POINT} words current cut="" word
  read -ra words <<< "$line"
  if [[ $line == *[[:space:]] ]]; then words+=(""); fi
  current=\${words[\${#words[@]} - 1]}
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then cut=\${current%"\${current##*:}"}; fi
  COMPREPLY=()
  while IFS=$'\\t' read -r word _; do
    if [[ $word == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${word#"$cut"}")
    fi
  done < <(stoplog complete -- "\${words[@]:1}" 2>/dev/null)
}

complete -F _stoplog stoplog
`,
  zsh: `#compdef stoplog
# Completion of stoplog for zsh. To use it now:  source <(stoplog completion zsh)
# and permanently:  stoplog completion zsh > "\${fpath[1]}/_stoplog"

_stoplog() {
  local -a asked found
  local line word files
  (( CURRENT > 2 )) && asked=("\${(@Q)words[2,CURRENT-1]}")
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    else
      word=\${line%%$'\\t'*}
      found+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done < <(stoplog complete -- "\${asked[@]}" "\${(Q)PREFIX}" 2>/dev/null)
  (( \${#found} )) && _describe -o stoplog found
  [[ -n $files ]] && _files
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _stoplog "$@"
else
  compdef _stoplog stoplog
fi
`,
  fish: `# Completion of stoplog for fish. To use it now:  stoplog completion fish | source
# and permanently:  stoplog completion fish > ~/.config/fish/completions/stoplog.fish

function __stoplog_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (stoplog complete -- $words[2..] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path (commandline -ct)
        else
            echo -- $line
        end
    end
end

complete -c stoplog -f -a '(__stoplog_complete)'
`,
};
