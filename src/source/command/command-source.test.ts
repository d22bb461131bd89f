import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { until } from "../../../test/support/waiting.ts";
import { CommandSource } from "./command-source.ts";
import { StdinSource } from "../stdin/stdin-source.ts";

function command(...argv: string[]) {
  const source = new CommandSource("feed", { type: "command", command: argv });
  const got = new CollectedLines();
  const abort = new AbortController();
  return { source, got, abort, done: source.run(got.sink, abort.signal) };
}

/** False for a zombie: a process that has exited and was not yet reaped by its parent. */
function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

describe("CommandSource", () => {
  it("delivers the program's lines, even a last one without an LF, and fails when the program exits", async () => {
    const { got, done } = command(
      "sh",
      "-c",
      "printf 'one\\ntwo\\nthree'; echo first >&2; echo the reason. >&2; exit 3",
    );
    await expect(done).rejects.toThrow("Cannot read from sh: sh exited with 3: the reason");
    expect(got.lines).toEqual(["one", "two", "three"]);
  });

  it("says when the program does not exist or is not executable", async () => {
    await expect(command("no-such-program").done).rejects.toThrow(
      "Cannot read from no-such-program: there is no program no-such-program",
    );
    await expect(command("/etc/passwd").done).rejects.toThrow(
      "Cannot read from /etc/passwd: permission denied",
    );
  });

  it("stops the program and its children when it is aborted", async () => {
    const { got, abort, done } = command("sh", "-c", "sleep 100 & echo $!; echo $$; wait");
    const pids = (await got.until(2)).map(Number);
    abort.abort();
    await done;
    await until("the programs have ended", () => !pids.some(alive));
  });

  it("kills a program that ignores SIGTERM", async () => {
    const { got, abort, done } = command("sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1; done");
    const [pid] = (await got.until(1)).map(Number);
    abort.abort();
    await done;
    expect(alive(pid!)).toBe(false);
  });

  it("does not wait for children that the program left running", async () => {
    const { got, done } = command("sh", "-c", "sleep 100 & echo $!");
    await expect(done).rejects.toThrow("Cannot read from sh: sh exited with 0");
    await until("the program has ended", () => !alive(Number(got.lines[0])));
  });

  it("reads all output of a program that writes a lot and exits", async () => {
    const { got, done } = command("seq", "300000");
    await expect(done).rejects.toThrow("seq exited with 0");
    expect(got.lines.length).toBe(300_000);
    expect(got.lines.at(-1)).toBe("300000");
  });
});

describe("StdinSource", () => {
  it("delivers lines until the input ends", async () => {
    const input = new PassThrough();
    const source = new StdinSource("stdin", { type: "stdin" }, () => input);
    const got = new CollectedLines();
    const done = source.run(got.sink, new AbortController().signal);
    input.write("one\ntw");
    input.end("o\nthree");
    await done;
    expect(got.lines).toEqual(["one", "two", "three"]);
    expect(source.stats.state).toBe("ended");
  });
});
