import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cli } from "../cli.ts";
import { buildProgram } from "../program.ts";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { completionModel, WORDS } from "./model.ts";
import { zshCompletion } from "./zsh.ts";

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
const cli = new Cli({ stdin: Readable.from([]), stdout: sink, stderr: sink, env: {}, isTTY: false });
const model = completionModel(buildProgram(cli));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-completion-"));
  // Stands in for the program: says what it was asked for, and offers addresses.
  const asked = join(folder, "asked");
  const offer = "printf '%s\\n' 192.0.2.1 192.0.2.7 2001:db8::1 2001:db8::2";
  writeFileSync(join(folder, "stoplog"), `#!/bin/sh\necho "$@" >> ${asked}\n${offer}\n`, { mode: 0o755 });
  writeFileSync(join(folder, "a log.log"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What bash offers for the line, of which the cursor is at the end. */
function offered(line: string, words: readonly string[]): readonly string[] {
  const script = `${bashCompletion(model)}
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
COMP_LINE=$1 COMP_POINT=\${#1}
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_stoplog
((\${#COMPREPLY[@]})) && printf '%s\\n' "\${COMPREPLY[@]}"
exit 0`;
  const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder };
  const out = execFileSync("bash", ["-c", script, "bash", line, ...words], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  return out.split("\n").filter((word) => word !== "");
}

describe("completionModel()", () => {
  it("knows every command of the help, and none that is hidden", () => {
    const names = model.commands.map((command) => command.name);
    expect(names).toContain("status");
    expect(names).not.toContain("complete");
  });

  it("has no rule for an argument or option that does not exist", () => {
    const places = model.commands.flatMap(({ name, options, arguments: given }) => [
      ...options.flatMap(({ flags }) => flags.flatMap((flag) => [`${name} ${flag}`, flag])),
      ...given.map((argument) => `${name} ${argument.name}`),
    ]);
    expect(Object.keys(WORDS).filter((key) => !places.includes(key))).toEqual([]);
  });
});

describe("bashCompletion()", () => {
  it("passes bash -n", () => {
    const { status, stderr } = spawnSync("bash", ["-n"], { input: bashCompletion(model), encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("offers commands and options", () => {
    expect(offered("stoplog un", ["stoplog", "un"])).toEqual(["unban"]);
    expect(offered("stoplog list --", ["stoplog", "list", "--"])).toEqual(["--json", "--socket", "--help"]);
    expect(offered("stoplog completion ", ["stoplog", "completion", ""])).toEqual(["bash", "zsh", "fish"]);
    expect(offered("stoplog ban --for ", ["stoplog", "ban", "--for", ""])).toEqual(["10m", "1h", "1d", "-1"]);
  });

  it("offers the banned addresses to unban, IPv6 behind the last colon", () => {
    expect(offered("stoplog unban 19", ["stoplog", "unban", "19"])).toEqual(["192.0.2.1", "192.0.2.7"]);
    const words = ["stoplog", "unban", "192.0.2.1", "2001", ":", "db8", "::"];
    expect(offered("stoplog unban 192.0.2.1 2001:db8::", words)).toEqual(["1", "2"]);
  });

  it("asks the daemon that --socket names", () => {
    offered("stoplog --socket /s why ", ["stoplog", "--socket", "/s", "why", ""]);
    const asked = readFileSync(join(folder, "asked"), "utf8").trimEnd().split("\n");
    expect(asked.at(-1)?.trim()).toBe("--socket /s complete addresses");
  });

  it("offers files after the filter of test, and nothing to ban", () => {
    expect(offered("stoplog test sshd a", ["stoplog", "test", "sshd", "a"])).toEqual(
      expect.arrayContaining(["a log.log", "asked"]),
    );
    expect(offered("stoplog test --missed 3 192", ["stoplog", "test", "--missed", "3", "192"])).toEqual([
      "192.0.2.1",
      "192.0.2.7",
    ]);
    expect(offered("stoplog ban ", ["stoplog", "ban", ""])).toEqual([]);
  });
});

/** Checks a script without running it; a shell that is not there is said in the test's name. */
function checksSyntax(shell: string, script: string): void {
  const missing = spawnSync(shell, ["--version"]).error !== undefined;
  it.skipIf(missing)(`passes ${shell} -n${missing ? ` (skipped: ${shell} is not installed)` : ""}`, () => {
    const file = join(folder, `script.${shell}`);
    writeFileSync(file, script);
    const { status, stderr } = spawnSync(shell, ["-n", file], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
}

describe("zshCompletion()", () => {
  checksSyntax("zsh", zshCompletion(model));

  it("names every command and option", () => {
    for (const command of model.commands) {
      expect(zshCompletion(model)).toContain(`    ${command.name})\n`);
      for (const option of command.options) expect(zshCompletion(model)).toContain(option.flags.at(-1));
    }
  });
});

describe("fishCompletion()", () => {
  checksSyntax("fish", fishCompletion(model));

  it("names every command and option", () => {
    for (const command of model.commands) {
      expect(fishCompletion(model)).toContain(`-a ${command.name} `);
      for (const option of command.options) {
        expect(fishCompletion(model)).toContain(`-l ${option.flags.at(-1)?.slice(2)}`);
      }
    }
  });
});
