import { describe, expect, it } from "vitest";
import { ban, StandInDaemon, STATUS } from "../../../test/support/stand-in-daemon.ts";

const daemon = new StandInDaemon();

describe("stoplog ban", () => {
  it("sends normalised addresses, and the duration as typed", async () => {
    const asked = await daemon.serve(() => ({
      body: {
        results: [{ address: "192.0.2.1", outcome: "banned", detail: "192.0.2.1 is banned permanently" }],
      },
    }));
    const line = [
      "ban",
      "::ffff:192.0.2.1",
      "2001:DB8::1/32",
      "--for",
      "-1",
      "--jail",
      "sshd",
      "--target",
      "slow",
    ];
    expect(await daemon.run(line)).toEqual({ status: 0, out: "192.0.2.1 is banned permanently\n", err: "" });
    expect(asked).toEqual([
      {
        method: "POST",
        url: "/v1/ban",
        body: { addresses: ["192.0.2.1", "2001:db8::/32"], duration: "-1", jail: "sshd", target: "slow" },
      },
    ]);
  });

  it("leaves out options that were not given", async () => {
    const asked = await daemon.serve(() => ({ body: { results: [] } }));
    await daemon.run(["ban", "192.0.2.1"]);
    await daemon.run(["ban", "192.0.2.1", "--force"]);
    expect(asked.map(({ body }) => body)).toEqual([
      { addresses: ["192.0.2.1"] },
      { addresses: ["192.0.2.1"], force: true },
    ]);
  });

  it("exits with 1 when an address was refused", async () => {
    await daemon.serve(() => ({
      body: { results: [{ address: "192.0.2.1", outcome: "refused", detail: "192.0.2.1 is allow-listed" }] },
    }));
    expect(await daemon.run(["ban", "192.0.2.1"])).toMatchObject({
      status: 1,
      out: "192.0.2.1 is allow-listed\n",
    });
  });

  it.each([
    [false, "the set x is full", 1],
    [null, "the enforcer is in trouble", 1],
    [false, null, 0],
    [true, null, 0],
  ] as const)(
    "exits with 1 when a ban is not enforced, or not known to be, and with 0 in a dry run: %s, %s",
    async (enforced, trouble, status) => {
      const result = { address: "192.0.2.1", outcome: "banned", detail: "Banned", enforced, trouble };
      await daemon.serve(() => ({ body: { results: [result] } }));
      expect((await daemon.run(["ban", "192.0.2.1"])).status).toBe(status);
    },
  );

  it("sends nothing when an address or the duration is invalid", async () => {
    const asked = await daemon.serve(() => ({ body: {} }));
    expect(await daemon.run(["ban", "192.0.2.1", "192.0.2.256"])).toMatchObject({
      status: 2,
      err: "Cannot read the address: '192.0.2.256' is not an IP address or network\n",
    });
    expect((await daemon.run(["ban", "192.0.2.1", "--for", "soon"])).err).toMatch(
      /^Cannot read the duration: 'soon' is not a duration/,
    );
    expect(asked).toEqual([]);
  });
});

describe("stoplog unban", () => {
  const unbanned = { address: "192.0.2.1", outcome: "lifted", detail: "Unbanned 192.0.2.1" };
  const absent = { address: "192.0.2.2", outcome: "not banned", detail: "192.0.2.2 was not banned" };

  it("exits with 0 when all were unbanned, with 1 when one was not banned", async () => {
    await daemon.serve(({ body }) => ({
      body:
        (body as { addresses: string[] }).addresses.length === 1
          ? { lifted: 1, results: [unbanned] }
          : { lifted: 1, results: [unbanned, absent] },
    }));
    expect(await daemon.run(["unban", "192.0.2.1"])).toEqual({
      status: 0,
      out: "Unbanned 192.0.2.1\n",
      err: "",
    });
    expect((await daemon.run(["unban", "192.0.2.1", "192.0.2.2"])).status).toBe(1);
  });

  it("unbans all, and exits with 0 without active bans", async () => {
    let count = 1200;
    const asked = await daemon.serve(() => ({ body: { lifted: count, results: [] } }));
    expect(await daemon.run(["unban", "--all"])).toEqual({ status: 0, out: "Removed 1,200 bans\n", err: "" });
    count = 0;
    expect(await daemon.run(["unban", "--all"])).toEqual({ status: 0, out: "No active bans\n", err: "" });
    expect(asked[0]?.body).toEqual({ all: true });
  });

  it("needs addresses or --all, and not both", async () => {
    expect(await daemon.run(["unban"])).toMatchObject({
      status: 2,
      err: "Cannot unban: give addresses, or --all for every ban\n",
    });
    expect((await daemon.run(["unban", "--all", "192.0.2.1"])).status).toBe(2);
  });
});

describe("stoplog reload", () => {
  it("prints what changed", async () => {
    const asked = await daemon.serve(() => ({ body: { reloaded: true, sentences: ["Jail web is new"] } }));
    expect(await daemon.run(["reload"])).toEqual({ status: 0, out: "Jail web is new\n", err: "" });
    expect(asked[0]).toMatchObject({ method: "POST", url: "/v1/reload" });
  });

  it("prints every error and exits with 2 when the configuration is invalid", async () => {
    await daemon.serve(() => ({
      body: { reloaded: false, sentences: ["a.yaml:1:2: no", "a.yaml:2:2: no"] },
    }));
    const { status, out, err } = await daemon.run(["reload"]);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(err).toMatch(/^a\.yaml:1:2: no\na\.yaml:2:2: no\nCannot reload: /);
  });
});

describe("stoplog complete", () => {
  it("offers jails, targets and addresses with the typed prefix", async () => {
    await daemon.serve(({ url }) => ({
      body:
        url === "/v1/bans"
          ? [ban("192.0.2.1"), ban("192.0.2.1", { target: "slow" }), ban("2001:db8::1")]
          : STATUS,
    }));
    const complete = async (...words: readonly string[]): Promise<string> =>
      (await daemon.run(["complete", "--", ...words])).out;
    expect(await complete("status", "s")).toBe("sshd\n");
    expect(await complete("status", "x")).toBe("");
    expect(await complete("ban", "--target", "")).toBe("default\n");
    expect(await complete("unban", "192.0.2.9", "19")).toBe("192.0.2.1\n");
    expect(await complete("notify", "")).toBe("team\n");
    expect(await complete("test", "kernel")).toBe("kernel-scan\nkernel-syn\n:files\n");
  });

  it("offers commands and options with their descriptions", async () => {
    expect((await daemon.run(["complete", "--", "unb"])).out).toBe("unban\tremove bans\n");
    expect((await daemon.run(["complete", "--", "list", "--j"])).out).toMatch(
      /^--json\tone JSON document.*\n$/,
    );
    expect((await daemon.run(["complete", "--", "ban", "--for", ""])).out).toBe("10m\n1h\n1d\n-1\n");
  });

  it("asks the daemon that --socket names", async () => {
    await daemon.serve(() => ({ body: STATUS }));
    const env = { STOPLOG_SOCKET: `${daemon.socket}.not` };
    const line = ["complete", "--", "--socket", daemon.socket, "status", ""];
    expect((await daemon.run(line, { env })).out).toBe("sshd\n");
  });

  it("prints no error without a daemon, and no word that could harm a shell or terminal", async () => {
    expect(await daemon.run(["complete", "--", "status", ""])).toEqual({ status: 1, out: "", err: "" });
    const jail = { ...STATUS.jails[0], name: "a b\x1b" };
    await daemon.serve(() => ({ body: { ...STATUS, jails: [jail] } }));
    expect(await daemon.run(["complete", "--", "status", ""])).toEqual({ status: 0, out: "", err: "" });
  });
});
