import { Readable, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { Cli } from "../cli.ts";
import { buildProgram } from "../program.ts";
import { candidatesAt, isHidden, VALUES } from "./candidates.ts";

const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
const program = buildProgram(
  new Cli({ stdin: Readable.from([]), stdout: sink, stderr: sink, env: {}, isTTY: false }),
);

const words = (...line: readonly string[]): readonly string[] =>
  candidatesAt(program, line).words.map(({ word }) => word);

describe("candidatesAt()", () => {
  it("knows every command that is not hidden, with its description", () => {
    const names = program.commands.filter((command) => !isHidden(command)).map((command) => command.name());
    expect(words("")).toEqual([...names, "help"]);
    expect(words("help", "")).toEqual([...names, "help"]);
    expect(names).toContain("status");
    expect(names).not.toContain("complete");
    expect(candidatesAt(program, [""]).words).toContainEqual({
      word: "list",
      description: expect.stringContaining("active bans") as string,
    });
  });

  it("knows the options of the command and the global ones", () => {
    expect(words("list", "--")).toEqual(["--json", "--socket", "--help"]);
    expect(words("-")).toEqual(["--version", "--socket", "--help"]);
  });

  it("knows the values of options and arguments", () => {
    expect(words("ban", "--for", "")).toEqual(["10m", "1h", "1d", "-1"]);
    expect(words("completion", "")).toEqual(["bash", "zsh", "fish"]);
    expect(candidatesAt(program, ["unban", "192.0.2.1", ""])).toMatchObject({
      list: "addresses",
      files: false,
    });
    expect(candidatesAt(program, ["test", ""])).toMatchObject({ list: "filters", files: true });
    expect(candidatesAt(program, ["--socket", "/s", "run", "-c", ""])).toMatchObject({
      list: null,
      files: true,
    });
  });

  it("counts neither an option nor its value as an argument", () => {
    expect(candidatesAt(program, ["test", "--missed", "3", ""])).toMatchObject({ list: "filters" });
    expect(candidatesAt(program, ["test", "--json", "sshd", ""])).toMatchObject({ list: null, files: true });
  });

  it("has nothing for an unknown command, and nothing after the last argument", () => {
    const nothing = { words: [], list: null, files: false };
    expect(candidatesAt(program, ["staus", ""])).toEqual(nothing);
    expect(candidatesAt(program, ["status", "sshd", ""])).toEqual(nothing);
    expect(candidatesAt(program, ["ban", ""])).toEqual(nothing);
  });

  it("has no rule for an argument or option that does not exist", () => {
    const places = program.commands.flatMap((command) => [
      ...[...command.options, ...program.options].flatMap(({ long = "" }) => [
        `${command.name()} ${long}`,
        long,
      ]),
      ...command.registeredArguments.map((argument) => `${command.name()} ${argument.name()}`),
    ]);
    expect(Object.keys(VALUES).filter((key) => !places.includes(key))).toEqual([]);
  });
});
