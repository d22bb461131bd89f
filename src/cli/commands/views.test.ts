import { describe, expect, it } from "vitest";
import { ban, StandInDaemon, STATUS } from "../../../test/support/stand-in-daemon.ts";

const daemon = new StandInDaemon();

describe("stoplog status", () => {
  it("shows sources, jails, enforcers and warnings", async () => {
    const asked = await daemon.serve(() => ({ body: STATUS }));
    const { status, out } = await daemon.run(["status"]);
    expect(status).toBe(0);
    expect(asked).toEqual([{ method: "GET", url: "/v1/status", body: null }]);
    expect(out.split("\n")).toEqual([
      "stoplog 9.8.7  healthy, up 1h, pid 4711, 50.0 MiB, /etc/stoplog/stoplog.yaml",
      "! Cannot read /var/log/x: permission denied",
      "",
      "12 bans, at most 1,000,000",
      "Never banned by order: 0.0.0.0/0 permanently by operator",
      "nftables: ready; 1,234 applied; 2 refused; 1 resync; 1 ban not enforced: the set is full",
      "",
      "SOURCE  KIND  LINES/S  BYTES/S   LAG  WAITING  CUT         SHED  STATE",
      "auth    file       21  2.0 KiB  0.0s      0 B    3  7 + 4.0 KiB  follows 1 file",
      "",
      "JAIL  FILTER  SOURCES  RULE                 FAILURES  COUNTING  BANS  BANNED NOW  TARGET",
      "sshd  sshd    auth     5 in 10m, permanent       100        30     6           2  default",
      "",
      "LIST      VERDICT  NETWORKS  PACKETS  LEFT OUT  CHANGED  STATE",
      "spamhaus  drop        1,523       42         1   2h ago  follows /etc/stoplog/drop.txt",
      "",
      "NOTIFY  TYPE     SENT  FAILED  WAITING  DROPPED  STATE",
      "team    webhook    12       1        3        2  the server answers 503",
      "",
    ]);
  });

  it("shows what does not work first, and exits with 1", async () => {
    const trouble = "Cannot read /var/log/y: it is a directory";
    const warnings = [trouble, ...STATUS.warnings];
    await daemon.serve(() => ({ body: { ...STATUS, state: "degraded", troubles: [trouble], warnings } }));
    const { status, out } = await daemon.run(["status"]);
    expect(status).toBe(1);
    expect(out.split("\n").slice(0, 3)).toEqual([
      expect.stringContaining("degraded, up 1h"),
      `! ${trouble}`,
      "! Cannot read /var/log/x: permission denied",
    ]);
    expect((await daemon.run(["status", "--json"])).status).toBe(1);
  });

  it("requests one jail and shows its counters", async () => {
    const jail = { ...STATUS.jails[0], newCounter: 17 };
    const asked = await daemon.serve(() => ({ body: { ...STATUS, jails: [jail] } }));
    const { out } = await daemon.run(["status", "a/b"]);
    expect(asked[0]?.url).toBe("/v1/status/a%2Fb");
    expect(out).toContain("  already banned    8\n");
    expect(out).toContain("    after the ban   2\n");
    // One that this command has no words for.
    expect(out).toContain("new counter         17\n");
  });

  it("prints the reply itself as JSON", async () => {
    await daemon.serve(() => ({ body: STATUS }));
    expect(JSON.parse((await daemon.run(["status", "--json"])).out)).toEqual(STATUS);
  });

  it("is coloured only on a terminal, and not with NO_COLOR", async () => {
    await daemon.serve(() => ({ body: STATUS }));
    expect((await daemon.run(["status"], { isTTY: true })).out).toContain("\x1b[33m! Cannot read");
    expect((await daemon.run(["status"], { isTTY: true, env: { NO_COLOR: "1" } })).out).not.toContain("\x1b");
  });
});

describe("stoplog list", () => {
  it("sorts by address and prints exactly the keys of the contract", async () => {
    const bans = [
      ban("2001:db8::/32"),
      ban("192.0.2.10"),
      ban("192.0.2.9", { until: "2026-01-02T03:09:05.000Z" }),
    ];
    await daemon.serve(() => ({ body: bans.map((item) => ({ ...item, extra: 1 })) }));
    const { status, out } = await daemon.run(["list", "--json"]);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toEqual([bans[2], bans[1], bans[0]]);
  });

  it("is an empty array, or a sentence, without active bans", async () => {
    await daemon.serve(() => ({ body: [] }));
    expect(await daemon.run(["list", "--json"])).toEqual({ status: 0, out: "[]\n", err: "" });
    expect(await daemon.run(["list"])).toEqual({ status: 0, out: "No active bans\n", err: "" });
  });

  it("says which bans are not enforced, and why", async () => {
    await daemon.serve(() => ({
      body: [
        ban("192.0.2.1", { enforced: false, trouble: "the set x is full" }),
        ban("192.0.2.2", { enforced: null, trouble: "it is not written yet" }),
        ban("192.0.2.3", { enforced: false }),
      ],
    }));
    const { out } = await daemon.run(["list"]);
    expect(out.split("\n").slice(1)).toEqual([
      expect.stringMatching(/5 failures in 10m; not enforced: the set x is full$/),
      expect.stringMatching(/5 failures in 10m; perhaps not enforced: it is not written yet$/),
      expect.stringMatching(/5 failures in 10m$/),
      "",
    ]);
  });

  it("escapes text of an attacker in a reason", async () => {
    await daemon.serve(() => ({
      body: [ban("192.0.2.1", { reason: "user \x1b]0;x\x07 \u202eevil", jail: "" })],
    }));
    const { out } = await daemon.run(["list"]);
    expect(out.split("\n")).toEqual([
      "ADDRESS    JAIL  TARGET        LEFT  REASON",
      "192.0.2.1  -     default  permanent  user \\x1b]0;x\\x07 \\u202eevil",
      "",
    ]);
  });

  it("refuses an answer that is cut off", async () => {
    await daemon.serve(() => ({ body: '{"address":"192.0.2.1"}\n{"addr' }));
    expect(await daemon.run(["list"])).toMatchObject({
      status: 2,
      err: "Cannot read the daemon's answer: it is not NDJSON\n",
    });
  });

  it("refuses an answer of a daemon that is older than the command", async () => {
    await daemon.serve(() => ({ body: { error: "x" } }));
    expect(await daemon.run(["list"])).toMatchObject({
      status: 2,
      err: "Cannot read the daemon's answer: it is of another version (restart it)\n",
    });
  });
});

describe("stoplog why", () => {
  const reply = {
    address: "2001:db8::1",
    banned: true,
    summary: "Banned at default by sshd",
    bans: [ban("2001:db8::1")],
    jails: [
      { jail: "sshd", seen: 3, needed: 5, ignored: null },
      { jail: "web", seen: 0, needed: 5, ignored: "own address" },
    ],
    lists: [{ name: "spamhaus", verdict: "drop" }],
    // As the matcher keeps it: one character a byte.
    lines: [Buffer.from("user J\u00fcrgen \x1b[2J from 2001:db8::1").toString("latin1"), "user \xe9 "],
  };

  it("prints the lines, escaped for a terminal", async () => {
    const asked = await daemon.serve(() => ({ body: reply }));
    const { status, out } = await daemon.run(["why", "2001:DB8:0::1"]);
    expect(status).toBe(0);
    expect(asked[0]?.url).toBe("/v1/why?address=2001%3Adb8%3A%3A1");
    expect(out.split("\n")).toEqual([
      "Banned at default by sshd",
      "  2001:db8::1 at default by sshd (local): 5 failures in 10m; since 2026-01-02T03:04:05.000Z, permanent",
      "  sshd: counted 3 of 5",
      "  web: ignored, own address",
      "  on list spamhaus: its packets are dropped",
      "2 lines, oldest first:",
      "  user J\u00fcrgen \\x1b[2J from 2001:db8::1",
      "  user \\xe9 ",
      "",
    ]);
  });

  it("exits with 1 when the address is not banned", async () => {
    await daemon.serve(() => ({ body: { ...reply, banned: false, bans: [] } }));
    expect((await daemon.run(["why", "2001:db8::1", "--json"])).status).toBe(1);
  });

  it("prints JSON that is safe for a terminal", async () => {
    await daemon.serve(() => ({ body: { ...reply, summary: "\u009b31m \u202e \u{e0041}" } }));
    const { out } = await daemon.run(["why", "2001:db8::1", "--json"]);
    expect(out).not.toMatch(/[^\x20-\x7e\n\u00fc]/);
    expect((JSON.parse(out) as typeof reply).summary).toBe("\u009b31m \u202e \u{e0041}");
    expect((JSON.parse(out) as typeof reply).lines[0]).toBe("user J\u00fcrgen \x1b[2J from 2001:db8::1");
  });
});
