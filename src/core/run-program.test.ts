import { describe, expect, it } from "vitest";
import { runProgram } from "./run-program.ts";

const sh = (script: string): readonly string[] => ["sh", "-c", script];

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("runProgram()", () => {
  it("keeps what the program prints, and the beginning of its complaints", async () => {
    const end = await runProgram(sh("echo out; echo one >&2; echo two >&2"), { mostOutput: 100 });
    expect({ ...end, stdout: end.stdout.toString() }).toEqual({
      fact: null,
      how: "exited",
      status: 0,
      stdout: "out\n",
      stderr: "one\ntwo\n",
    });
  });

  it("says how it failed, with the last line of its complaints, printable", async () => {
    const failed = await runProgram(sh("echo first >&2; printf '\\033[31mno such user.\\n' >&2; exit 3"));
    expect(failed).toMatchObject({
      how: "exited",
      status: 3,
      fact: "sh exited with 3: \\x1b[31mno such user",
    });
    expect(await runProgram(sh("kill -9 $$"))).toMatchObject({
      how: "killed",
      status: null,
      fact: "sh was killed by SIGKILL",
    });
  });

  it("says why it cannot start", async () => {
    expect(await runProgram(["/nonexistent/x"])).toMatchObject({
      how: "not started",
      fact: "there is no program /nonexistent/x",
    });
    expect((await runProgram(["sh", "a\0b"])).how).toBe("not started");
  });

  it("gives it text, or pieces as they come, on standard input", async () => {
    const read = async (input: NonNullable<Parameters<typeof runProgram>[1]>["input"]): Promise<string> =>
      (
        await runProgram(["cat"], { ...(input === undefined ? {} : { input }), mostOutput: 1 << 20 })
      ).stdout.toString();
    const later = async function* () {
      await new Promise((resolve) => setTimeout(resolve, 10));
      yield "a";
      yield "b";
    };
    expect(await read("text")).toBe("text");
    expect(await read(["a", "b"])).toBe("ab");
    expect(await read(later())).toBe("ab");
    expect(await read(undefined)).toBe("");
    // A program that does not read its input does not break anything.
    expect(await runProgram(["true"], { input: "x".repeat(1 << 20) })).toMatchObject({ fact: null });
  });

  it("stops it after the time limit, with everything that it started", async () => {
    let child = 0;
    const end = await runProgram(sh("sleep 60 & echo $!; wait"), {
      onStdout: () => (chunk) => (child = Number(chunk.toString())),
      timeout: 300,
    });
    expect(end).toMatchObject({ how: "timed out", fact: "sh took longer than 300ms" });
    await gone(child);
  });

  it("kills it when it ignores SIGTERM", async () => {
    const end = await runProgram(sh("trap '' TERM; while :; do sleep 0.1; done"), { timeout: 200 });
    expect(end.how).toBe("timed out");
  });

  it("stops it when the signal aborts, before it starts as well", async () => {
    const abort = new AbortController();
    const running = runProgram(["sleep", "60"], { signal: abort.signal, onStart: () => abort.abort() });
    expect(await running).toMatchObject({ how: "aborted", fact: "sleep was stopped" });
    expect((await runProgram(["sleep", "60"], { signal: abort.signal })).how).toBe("aborted");
  });

  it("stops it when it prints more than is kept", async () => {
    const end = await runProgram(["yes"], { mostOutput: 10_000 });
    expect(end).toMatchObject({ how: "printed too much", fact: "yes printed more than 10000 bytes" });
    expect(end.stdout.length).toBeLessThanOrEqual(10_000);
  });

  it("does not wait for what it leaves running, and stops it with `stopsLeftovers`", async () => {
    const leave = sh("sleep 60 >&2 & echo $!");
    const left = await runProgram(leave, { mostOutput: 100 });
    const pid = Number(left.stdout.toString());
    expect([left.fact, isAlive(pid)]).toEqual([null, true]);
    process.kill(pid);
    const stopped = await runProgram(leave, { mostOutput: 100, stopsLeftovers: true });
    await gone(Number(stopped.stdout.toString()));
  });

  it("reports the last line of its complaints while it runs", async () => {
    const abort = new AbortController();
    // It goes on until its complaint has arrived.
    const end = await runProgram(sh("echo one >&2; echo two >&2; sleep 60"), {
      onStderr: (last) => last === "two" && abort.abort(),
      signal: abort.signal,
    });
    expect(end.how).toBe("aborted");
  });
});
