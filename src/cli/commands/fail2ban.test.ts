import { describe, expect, it } from "vitest";
import { run } from "../../../test/support/run-cli.ts";
import { StandInDaemon } from "../../../test/support/stand-in-daemon.ts";

const daemon = new StandInDaemon();
const client = (...words: readonly string[]) => daemon.run(["fail2ban-client", ...words]);

describe("stoplog fail2ban-client", () => {
  it("sends the words of the command, and prints the answer", async () => {
    const asked = await daemon.serve(() => ({ body: { value: "pong" } }));
    expect(await client("ping")).toEqual({ status: 0, out: "Server replied: pong\n", err: "" });
    await client(
      "-v",
      "-c",
      "/etc/fail2ban",
      "-s",
      "/var/run/fail2ban/fail2ban.sock",
      "set",
      "sshd",
      "-x",
      "--all",
    );
    expect(asked).toEqual([
      { method: "POST", url: "/v1/fail2ban", body: { command: ["ping"] } },
      { method: "POST", url: "/v1/fail2ban", body: { command: ["set", "sshd", "-x", "--all"] } },
    ]);
  });

  it("takes Stoplog's own options before its name", async () => {
    const asked = await daemon.serve(() => ({ body: { value: "pong" } }));
    await run([
      "--socket",
      daemon.socket,
      "fail2ban-client",
      "set",
      "sshd",
      "unbanip",
      "--report-absent",
      "192.0.2.1",
    ]);
    expect(asked.map(({ body }) => body)).toEqual([
      { command: ["set", "sshd", "unbanip", "--report-absent", "192.0.2.1"] },
    ]);
  });

  it("sends a reload without a configuration", async () => {
    const asked = await daemon.serve(() => ({ body: { value: "OK" } }));
    expect(await client("reload")).toMatchObject({ out: "OK\n" });
    await client("reload", "--unban", "sshd");
    await client("restart", "--if-exists", "sshd");
    expect(asked.map(({ body }) => body)).toEqual([
      { command: ["reload", "--all", []] },
      { command: ["reload", "sshd", ["--unban"]] },
      { command: ["reload", "sshd", ["--if-exists"]] },
    ]);
    expect(await client("reload", "a", "b")).toMatchObject({ status: 255, out: "" });
  });

  it.each([
    ["UnknownJailException", ["x"], "Sorry but the jail 'x' does not exist", "NOK: ('x',)"],
    [
      "IndexError",
      ["list index out of range"],
      "Sorry but the command is invalid",
      "NOK: ('list index out of range',)",
    ],
    ["ValueError", ["it's no"], "it's no", `NOK: ("it's no",)`],
  ])("prints a %s as fail2ban's client does", async (type, args, out, logged) => {
    await daemon.serve(() => ({ body: { exception: { type, args } } }));
    const ran = await client("status", "x");
    expect(ran).toMatchObject({ status: 255, out: `${out}\n` });
    expect(ran.err).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} fail2ban {16}\[\d+\]: ERROR {3}/);
    expect(ran.err).toContain(logged);
  });

  it("says that no daemon runs, and that the daemon's own start is systemd's", async () => {
    expect(await client("ping")).toMatchObject({ status: 255, out: "" });
    expect((await client("ping")).err).toContain("no process listens at");
    expect((await client("start")).err).toContain("systemctl start stoplog");
    expect((await client("restart")).err).toContain("systemctl restart stoplog");
  });

  it("answers what needs no daemon", async () => {
    expect(await client("--str2sec", "1d12h")).toMatchObject({ status: 0, out: "129600\n" });
    expect((await client("-V")).out).toMatch(/^1\.1\.0\+stoplog\.\d+\.\d+\.\d+\n$/);
    expect(await client("--help")).toMatchObject({ status: 0 });
    expect(await client()).toMatchObject({ status: 255 });
    expect(await client("--nonsense")).toMatchObject({ status: 255 });
    expect((await client("-d")).err).toContain("stoplog check");
  });
});
