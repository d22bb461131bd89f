import { Readable, Writable } from "node:stream";
import { expect, it } from "vitest";
import { Cli } from "./cli.ts";
import { buildProgram } from "./program.ts";
import { readRunArguments } from "./run-arguments.ts";

it.each<[string, object]>([
  ["", {}],
  ["-c /etc/a.yaml", { config: "/etc/a.yaml" }],
  ["--config /etc/a.yaml --socket /run/x.sock", { config: "/etc/a.yaml", socket: "/run/x.sock" }],
  ["--fail2ban=/etc/fail2ban", { fail2ban: "/etc/fail2ban" }],
  ["--config=/etc/a=b.yaml", { config: "/etc/a=b.yaml" }],
  ["--dry-run --flush-on-exit --flush -c a", { config: "a", dryRun: true, flushOnExit: true, flush: true }],
])("reads 'run %s' as commander does", async (text, expected) => {
  const args = text.split(" ").filter((arg) => arg !== "");
  expect(readRunArguments(args)).toEqual(expected);
  expect(await readByCommander(args)).toEqual(expected);
});

it.each([
  "--help",
  "-h",
  "extra",
  "-c",
  "-c -x",
  "--config=",
  "--conf a",
  "-ca",
  "--dry-run=1",
  "--",
  "--flush --what",
])("leaves 'run %s' to commander", (text) => {
  expect(readRunArguments(text.split(" "))).toBeNull();
});

it("knows every option of the command", () => {
  const run = program().commands.find((command) => command.name() === "run");
  const flags =
    run?.options.flatMap(({ short, long }) => [short, long].filter((flag) => typeof flag === "string")) ?? [];
  expect(flags.length).toBeGreaterThan(3);
  for (const flag of flags) expect(readRunArguments([flag, "a"]) ?? readRunArguments([flag])).not.toBeNull();
});

async function readByCommander(args: readonly string[]): Promise<unknown> {
  const whole = program();
  const run = whole.commands.find((command) => command.name() === "run");
  if (run === undefined) throw new Error("there is no command run");
  let read: unknown = null;
  run.action(() => void (read = run.optsWithGlobals()));
  await whole.parseAsync(["run", ...args], { from: "user" });
  return read;
}

function program() {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  return buildProgram(
    new Cli({ stdin: Readable.from([]), stdout: stream, stderr: stream, env: {}, isTTY: false }),
  );
}
