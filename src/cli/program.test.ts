import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ban, StandInDaemon } from "../../test/support/stand-in-daemon.ts";

const daemon = new StandInDaemon();

describe("stoplog", () => {
  it("refuses an unknown command with the nearest name", async () => {
    expect(await daemon.run(["stats"])).toEqual({
      status: 2,
      out: "",
      err: "Unknown command 'stats' (did you mean status?)\n",
    });
    expect(await daemon.run(["allow", "192.0.2.1"])).toMatchObject({
      status: 2,
      err: "Unknown command 'allow' (did you mean order allow?)\n",
    });
    expect(await daemon.run(["xyzzy"])).toMatchObject({
      status: 2,
      err: "Unknown command 'xyzzy' (stoplog help lists the commands)\n",
    });
  });

  it("refuses unknown options, and missing or extra arguments, in one sentence each", async () => {
    expect(await daemon.run(["list", "--jsn"])).toMatchObject({
      status: 2,
      err: "Unknown option '--jsn' (did you mean --json?)\n",
    });
    expect(await daemon.run(["ban"])).toMatchObject({
      status: 2,
      err: "Missing required argument 'address'\n",
    });
    expect(await daemon.run(["reload", "x"])).toMatchObject({ status: 2, out: "" });
  });

  it("prints help and version with status 0, and help as an error without a command", async () => {
    expect(await daemon.run(["--version"])).toMatchObject({
      status: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
    expect(await daemon.run(["help"])).toMatchObject({
      status: 0,
      out: expect.stringContaining("unban [options]") as string,
    });
    expect(await daemon.run([])).toMatchObject({
      status: 2,
      out: "",
      err: expect.stringContaining("Usage: stoplog") as string,
    });
  });

  it("does not show the command that completions use", async () => {
    expect((await daemon.run(["--help"])).out).not.toMatch(/^ +complete /m);
  });

  it("reports a socket where no daemon listens", async () => {
    const err = `Cannot reach the daemon: no process listens at ${daemon.socket} (is it running?)\n`;
    for (const line of [
      ["status"],
      ["list"],
      ["ban", "192.0.2.1"],
      ["unban", "--all"],
      ["why", "192.0.2.1"],
      ["reload"],
    ]) {
      expect(await daemon.run(line)).toEqual({ status: 2, out: "", err });
    }
  });

  it("refuses a socket path that is too long for the kernel", async () => {
    const long = `/${"x".repeat(107)}`;
    expect(await daemon.run(["status", "--socket", long])).toMatchObject({
      status: 2,
      err: `Cannot use the socket ${long}: its path is longer than 107 bytes\n`,
    });
  });

  it("accepts --socket before and after the command; it overrides the environment", async () => {
    await daemon.serve(() => ({ body: [] }));
    const env = { STOPLOG_SOCKET: `${daemon.socket}.not` };
    expect((await daemon.run(["--socket", daemon.socket, "list"], { env })).status).toBe(0);
    expect((await daemon.run(["list", "--socket", daemon.socket], { env })).status).toBe(0);
    expect((await daemon.run(["list"], { env })).status).toBe(2);
  });

  it("prints the daemon's own error, escaped for a terminal", async () => {
    await daemon.serve(() => ({ status: 404, body: { error: "There is no jail \x1b[31mx" } }));
    expect(await daemon.run(["status", "x"])).toEqual({
      status: 2,
      out: "",
      err: "There is no jail \\x1b[31mx\n",
    });
  });

  it("prints the stack trace of a bug", async () => {
    await daemon.serve(() => ({ body: { nonsense: true } }));
    const { status, err } = await daemon.run(["status"]);
    expect(status).toBe(2);
    expect(err).toMatch(/TypeError[^]*\n +at /);
  });

  it("ends quietly when its reader has gone", async () => {
    await daemon.serve(() => ({ body: [ban("192.0.2.1")] }));
    const gone = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
    });
    expect(await daemon.run(["list"], { stdout: gone })).toEqual({ status: 0, out: "", err: "" });
  });

  it("reports output that cannot be written", async () => {
    await daemon.serve(() => ({ body: [ban("192.0.2.1")] }));
    const full = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" })),
    });
    expect(await daemon.run(["list"], { stdout: full })).toMatchObject({
      status: 2,
      err: "Cannot write the output: the disk is full\n",
    });
  });
});
