import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Shell, SCRIPTS } from "./scripts.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-completion-"));
  // A fake program: writes its arguments, each in brackets, to the file `asked`, and prints the file `answer`.
  const program = `#!/bin/sh\nprintf '[%s]' "$@" > ${folder}/asked\ncat ${folder}/answer\n`;
  writeFileSync(join(folder, "stoplog"), program, { mode: 0o755 });
  writeFileSync(join(folder, "a log.log"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Makes each shell complete a line with the cursor at its end, and print a word a line. */
const ASK: Readonly<Record<Shell, (line: string) => string>> = {
  bash: (line) => `source ./script.bash
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
COMP_LINE=${quoted(line)} COMP_POINT=${line.length}
_stoplog
((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"
exit 0`,
  // The functions of zsh's completion system that the script calls, as far as it needs them.
  zsh: (line) => `compdef() { : }
_describe() { eval 'for each in "\${'$3'[@]}"; do print -r -- "$each"; done' }
_files() { print -rl -- $PREFIX*(N) }
source ./script.zsh
words=("\${(@s: :)$(print -r -- ${quoted(`${line}|`)})}")
words[-1]=\${words[-1]%|}
CURRENT=\${#words} PREFIX=$words[-1]
_stoplog`,
  fish: (line) => `source ./script.fish; complete -C ${quoted(line)}`,
};

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What a shell offers, and what it asked the program. */
function offered(
  shell: Shell,
  line: string,
  answer: string,
): { readonly asked: string; readonly words: readonly string[] } {
  writeFileSync(join(folder, `script.${shell}`), SCRIPTS[shell]);
  writeFileSync(join(folder, "answer"), answer);
  const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder, XDG_CONFIG_HOME: folder };
  const args = shell === "fish" ? ["--no-config", "-c"] : shell === "zsh" ? ["-f", "-c"] : ["-c"];
  const { stdout, stderr } = spawnSync(shell, [...args, ASK[shell](line)], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const words = stdout.split("\n").filter((word) => word !== "");
  return { asked: readFileSync(join(folder, "asked"), "utf8"), words };
}

describe.each<Shell>(["bash", "zsh", "fish"])("the script for %s", (shell) => {
  const missing = spawnSync(shell, ["--version"]).error !== undefined;
  const test = it.skipIf(missing);
  const titled = (name: string): string => (missing ? `${name} (skipped: needs ${shell})` : name);
  /** How the shell shows a word with its description. */
  const shown = (word: string, description: string): string =>
    ({ bash: word, zsh: `${word.replaceAll(":", "\\:")}:${description}`, fish: `${word}\t${description}` })[
      shell
    ];

  test(titled("asks with the words before the cursor, and offers the answer"), () => {
    const { asked, words } = offered(shell, "stoplog un", "unban\tremove bans\nunbar\tnone such\n");
    expect(asked).toBe("[complete][--][un]");
    expect(words).toEqual([shown("unban", "remove bans"), shown("unbar", "none such")]);
  });

  test(titled("asks with an empty last word after a space"), () => {
    expect(offered(shell, "stoplog ", "").asked).toBe("[complete][--][]");
    expect(offered(shell, "stoplog --socket /s why ", "").asked).toBe("[complete][--][--socket][/s][why][]");
  });

  test(titled("offers file names for :files"), () => {
    const { words } = offered(shell, "stoplog test sshd a", ":files\n");
    expect(words.map((word) => word.replace("\\ ", " "))).toEqual(
      expect.arrayContaining(["a log.log", "answer"]),
    );
  });

  test(titled("offers IPv6 addresses"), () => {
    const { asked, words } = offered(
      shell,
      "stoplog unban 192.0.2.1 2001:db8::",
      "2001:db8::1\n2001:db8::2\n",
    );
    expect(asked).toBe("[complete][--][unban][192.0.2.1][2001:db8::]");
    const expected = {
      bash: ["1", "2"],
      zsh: ["2001\\:db8\\:\\:1:2001:db8::1", "2001\\:db8\\:\\:2:2001:db8::2"],
      fish: ["2001:db8::1", "2001:db8::2"],
    };
    expect(words).toEqual(expected[shell]);
  });
});
