import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parsePrefix } from "../../core/prefix.ts";
import { FOREVER, HOUR, type Instant, MINUTE } from "../../core/time.ts";
import type { Enforcement } from "../enforcer.ts";
import type { CommandTarget } from "./kind.ts";
import { CommandEnforcer } from "./enforcer.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);
let folder = "";
let out = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-command-"));
  out = join(folder, "out");
  writeFileSync(out, "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that records its word, its arguments and its standard input. */
const noting = (word: string, ...args: string[]): readonly string[] => [
  "sh",
  "-c",
  `{ printf '${word}'; for a; do printf ' <%s>' "$a"; done; echo; } >> ${out}`,
  "sh",
  ...args,
];

function target(options: Partial<CommandTarget> = {}): CommandTarget {
  return {
    name: "default",
    enforcer: "command",
    start: noting("start"),
    stop: noting("stop"),
    ban: noting("ban", "{address}", "{target} x", "{until}", "{seconds}"),
    unban: noting("unban", "{address}", "{until}"),
    batch: false,
    timeout: MINUTE,
    parallel: 1,
    ...options,
  };
}

function ban(text: string, until: Instant = NOW + HOUR): Enforcement {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return { kind: "ban", prefix, target: "default", until };
}

const unban = (text: string): Enforcement => ({ kind: "unban", prefix: ban(text).prefix, target: "default" });
const noted = (): readonly string[] => readFileSync(out, "latin1").trim().split("\n");

describe("programs of the operator's", () => {
  it("run at the start, for each ban and unban, and at the end, with unchanged arguments", async () => {
    const enforcer = new CommandEnforcer();
    await enforcer.open([target()]);
    await enforcer.apply([ban("192.0.2.1"), ban("2001:db8::/32", FOREVER)], NOW);
    await enforcer.apply([unban("192.0.2.1")], NOW);
    await enforcer.close({ flush: true });
    expect(noted()).toEqual([
      "start",
      `ban <192.0.2.1> <default x> <${NOW / 1000 + 3600}> <3600>`,
      "ban <2001:db8::/32> <default x> <0> <0>",
      "unban <192.0.2.1> <0>",
      "unban <2001:db8::/32> <0>",
      "stop",
    ]);
  });

  it("do not run when the daemon stops without --flush-on-exit", async () => {
    const enforcer = new CommandEnforcer();
    await enforcer.open([target({ start: null })]);
    await enforcer.apply([ban("192.0.2.1")], NOW);
    await enforcer.close({ flush: false });
    expect(noted()).toEqual([expect.stringMatching(/^ban /)]);
  });

  it("read many addresses from standard input where they can", async () => {
    const reading = (word: string): readonly string[] => ["sh", "-c", `sed 's/^/${word} /' >> ${out}`];
    const enforcer = new CommandEnforcer();
    await enforcer.open([target({ batch: true, start: null, ban: reading("ban"), unban: reading("unban") })]);
    await enforcer.apply([ban("192.0.2.1"), unban("192.0.2.2"), ban("2001:db8::1", FOREVER)], NOW);
    expect(noted()).toEqual([
      "unban 192.0.2.2 default 0 0",
      `ban 192.0.2.1 default ${NOW / 1000 + 3600} 3600`,
      "ban 2001:db8::1 default 0 0",
    ]);
  });

  it("that fail are reported with their message, and the others run", async () => {
    const failing = ["sh", "-c", 'echo "no: $1\u001b[31m" >&2; [ "$1" != 192.0.2.1 ]', "sh", "{address}"];
    const enforcer = new CommandEnforcer();
    await enforcer.open([target({ start: null, ban: failing })]);
    const refusals = await enforcer.apply([ban("192.0.2.1"), ban("192.0.2.2")], NOW);
    expect(refusals.map(({ fact }) => fact)).toEqual([
      "Cannot ban 192.0.2.1 at default: sh exited with 1: no: 192.0.2.1\\x1b[31m",
    ]);
    expect(await enforcer.list()).toHaveLength(1);
    const missing = target({ start: null, ban: [join(folder, "missing"), "{address}"] });
    const other = new CommandEnforcer();
    await other.open([missing]);
    expect((await other.apply([ban("192.0.2.1")], NOW))[0]?.fact).toMatch(/: there is no program \S+$/);
    await expect(new CommandEnforcer().open([target({ start: ["false"] })])).rejects.toThrow(
      "Cannot start target default: false exited with 1",
    );
  });

  it("are killed with everything they started when they take too long", async () => {
    const slow = ["sh", "-c", `sleep 600 & echo $! >> ${out}; wait`];
    const enforcer = new CommandEnforcer();
    await enforcer.open([target({ start: null, ban: slow, timeout: 300 })]);
    const refusals = await enforcer.apply([ban("192.0.2.1")], NOW);
    expect(refusals[0]?.fact).toMatch(/^Cannot ban 192\.0\.2\.1 at default: sh took longer than /);
    // The signal reaches the whole group, but each process dies when it is scheduled.
    await expect.poll(() => isRunning(Number(noted()[0]))).toBe(false);
  });

  it("run up to `parallel` at the same time", async () => {
    const counting = ["sh", "-c", `echo + >> ${out}; sleep 0.1; echo - >> ${out}`];
    const enforcer = new CommandEnforcer();
    await enforcer.open([target({ start: null, ban: counting, parallel: 3 })]);
    await enforcer.apply(
      Array.from({ length: 9 }, (_, i) => ban(`192.0.2.${i}`)),
      NOW,
    );
    let running = 0;
    const most = noted().map((sign) => (running += sign === "+" ? 1 : -1));
    expect(Math.max(...most)).toBe(3);
  });

  it("undo their bans when other programs replace them, which get all bans", async () => {
    const enforcer = new CommandEnforcer();
    await enforcer.open([target()]);
    await enforcer.apply([ban("192.0.2.1")], NOW);
    await enforcer.open([target({ timeout: HOUR, parallel: 2 })]);
    await enforcer.open([target({ ban: noting("block", "{address}"), start: noting("begin") })]);
    await enforcer.replace([ban("192.0.2.1")], NOW);
    expect(noted().map((line) => line.replace(/> .*/, ">"))).toEqual([
      "start",
      "ban <192.0.2.1>",
      "unban <192.0.2.1>",
      "stop",
      "begin",
      "block <192.0.2.1>",
    ]);
    await enforcer.close({ flush: false });
  });

  it("start again when the programs that replace them cannot start", async () => {
    const enforcer = new CommandEnforcer();
    await enforcer.open([target()]);
    const other = target({ name: "other", start: ["false"] });
    await expect(enforcer.open([other])).rejects.toThrow("Cannot start target other");
    await enforcer.open([target()]);
    expect(noted()).toEqual(["start"]);
    await expect(enforcer.open([target({ start: ["false"] })])).rejects.toThrow(
      "Cannot start target default",
    );
    await enforcer.open([target()]);
    expect(noted()).toEqual(["start", "stop", "start"]);
    await enforcer.close({ flush: true });
  });

  it("run only for differences when all bans are written again", async () => {
    const enforcer = new CommandEnforcer();
    await enforcer.open([target({ start: null })]);
    await enforcer.apply([ban("192.0.2.1"), ban("192.0.2.2")], NOW);
    writeFileSync(out, "");
    await enforcer.replace([ban("192.0.2.1"), ban("192.0.2.3"), ban("192.0.2.9", NOW)], NOW);
    expect(noted().map((line) => line.split(" <default")[0])).toEqual([
      "ban <192.0.2.3>",
      "unban <192.0.2.9> <0>",
      "unban <192.0.2.2> <0>",
    ]);
  });
});

/** A zombie is not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}
