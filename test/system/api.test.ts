import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("curl") ? null : "needs curl");

const CONFIG = `
api:
  listen: 127.0.0.1:8443
  tokens:
    scorer: { secret_file: HOME/secret }
    page: { sha256: 2bf7f6f9a0fd1f59ec6a6b8fb0dd8ae1d5a3f5e2e2f2d2b1c0a9988776655443, read: true }
    reader: { secret_file: HOME/reader, read: true }
origins:
  scorer: { may: [ban, unban], longest: 2h }
state: HOME/state
`;

const SCORER = ["-H", "Authorization: Bearer the-scorer-s-secret"];
const READER = ["-H", "Authorization: Bearer the-reader-s-secret"];

describe.skipIf(fault !== null)(titled("stoplog run with an API, queried by curl", fault), () => {
  const server = useNamespace("api");
  let home: Home;
  let daemon: RunningDaemon;

  beforeEach(async () => {
    home = new Home();
    writeFileSync(home.file("secret"), "the-scorer-s-secret\n");
    writeFileSync(home.file("reader"), "the-reader-s-secret\n");
    home.configure(CONFIG);
    daemon = await RunningDaemon.start(home, server);
  });
  afterEach(async () => {
    await daemon.end();
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const curl = (path: string, ...args: readonly string[]): string =>
    server.run("curl", "-sS", "-m", "10", ...args, `http://127.0.0.1:8443${path}`);
  const orders = (body: string): unknown => JSON.parse(curl("/v1/orders", ...SCORER, "--data-binary", body));

  it("bans by NDJSON orders and shows the bans to a reader's token", () => {
    const lines = Array.from(
      { length: 1000 },
      (_, i) => `{"address":"10.0.${i >> 8}.${i & 255}","reason":"scored"}`,
    );
    expect(orders(lines.join("\n"))).toMatchObject({ done: 1000, refused: 0 });
    expect(server.run("nft", "list", "ruleset")).toContain("10.0.3.231");
    expect(JSON.parse(curl("/v1/bans", ...READER))).toHaveLength(1000);
    expect(JSON.parse(curl("/v1/status", ...READER))).toMatchObject({
      book: { bans: 1000 },
      api: { wrongTokens: 0 },
    });
    expect(orders('{"order":"unban","address":"10.0.0.0"}')).toMatchObject({ done: 1 });
    expect(daemon.command("list").output).toContain("scored");
    expect(daemon.command("unban", "--origin", "scorer").output).toBe("Removed 999 bans\n");
  });

  it("streams changes from a cursor, and starts over after a restart", async () => {
    const asking = ["-sSN", "-m", "20", ...READER, "-H", "Accept: text/event-stream"];
    const listening = server.spawn("curl", [...asking, "http://127.0.0.1:8443/v1/bans"]);
    let heard = "";
    listening.stdout?.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    await until(
      "the stream begins",
      () => heard.includes("event: synced"),
      () => heard,
    );
    orders('{"address":"192.0.2.1"}');
    orders('{"address":"2001:db8::/64"}');
    await until(
      "both are sent",
      () => heard.includes("2001:db8::/64"),
      () => heard,
    );
    listening.kill();
    const first = /id: (\S+)\nevent: ban/.exec(heard)?.[1] ?? "";
    const follow = (cursor: string): string =>
      server.run(
        "sh",
        "-c",
        `curl -sSN -m 1 -H 'Authorization: Bearer the-reader-s-secret' -H 'Accept: text/event-stream' 'http://127.0.0.1:8443/v1/bans?cursor=${cursor}' 2>/dev/null || true`,
      );
    expect(follow(first)).toMatch(
      /^: stoplog\n\nid: \S+\.2\nevent: ban\ndata: {"address":"2001:db8::\/64".*\n\n$/,
    );
    await daemon.end();
    daemon = await RunningDaemon.start(home, server);
    const again = follow(first);
    expect(again).toContain("event: resync");
    expect(again).toContain('"address":"192.0.2.1"');
  });

  it("refuses wrong tokens and accepts a new token after a reload", () => {
    const status = (...args: string[]): string =>
      curl("/v1/status", "-o", "/dev/null", "-w", "%{http_code}", ...args);
    expect(status("-H", "Authorization: Bearer a-new-secret-of-16")).toBe("401");
    writeFileSync(home.file("reader"), "a-new-secret-of-16\n");
    expect(daemon.command("reload").status).toBe(0);
    expect(status("-H", "Authorization: Bearer a-new-secret-of-16")).toBe("200");
    expect(status(...READER)).toBe("401");
  });
});
