import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StatusReply } from "../../src/api/wire.ts";
import { ask } from "../../src/cli/control.ts";
import { LogDaemon, RSYSLOG, SYSLOG_NG } from "../support/log-daemon.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const run = promisify(execFile);

describe.each([RSYSLOG, SYSLOG_NG])("a log daemon's file, rotated by logrotate in a flood", (kind) => {
  const fault = namespaceFault() ?? kind.fault ?? (hasProgram("logrotate") ? null : "needs logrotate");
  describe.skipIf(fault !== null)(titled(kind.name, fault), () => {
    const LINES = 60_000;
    const FLOODS = 4;
    const namespace = useNamespace("rotate");
    let home: Home;
    let daemon: RunningDaemon;
    let logging: LogDaemon;

    beforeEach(async () => {
      home = new Home();
      home.configure(`
sources:
  auth: { type: file, path: HOME/all.log }
jails:
  sshd: { sources: auth, filter: sshd, maxretry: 3 }
state: HOME/state
`);
      daemon = await RunningDaemon.start(home, namespace, { args: ["--dry-run"] });
      logging = new LogDaemon(kind, home, namespace);
      await logging.start("");
    });
    afterEach(async () => {
      await logging.stop();
      await daemon.end();
      home.remove();
    });

    const status = () => ask<StatusReply>(home.file("control.sock"), { method: "GET", path: "/v1/status" });
    const seen = async () => (await status()).jails[0]?.failures ?? 0;

    /** Rotates in the middle of each of several floods, and continues when every line was read. */
    const floodAndRotate = async (how: string): Promise<void> => {
      const [config, state] = [home.file("rotate.conf"), home.file("rotate.state")];
      writeFileSync(config, `${home.file("all.log")} {\nrotate 999\n${how}\n}\n`);
      for (let i = 0; i < FLOODS; i++) {
        const before = await seen();
        const flood = logging.fail("192.0.2.1", LINES / FLOODS);
        await until("the flood has begun", async () => (await seen()) > before);
        await run("logrotate", ["--force", "--state", state, config]);
        await flood;
        await until(
          "all lines in the files are seen",
          async () => (await seen()) >= inFiles() && (await status()).sources[0]?.waitingBytes === 0,
          () => `${inFiles()} in files`,
        );
      }
    };
    const inFiles = (): number =>
      readdirSync(home.path)
        .filter((name) => name.startsWith("all.log"))
        .map((name) => readFileSync(home.file(name), "latin1").split("Failed password").length - 1)
        .reduce((sum, count) => sum + count, 0);

    it("is read to the last line when it is renamed and a new file is created", async () => {
      await floodAndRotate(`create\npostrotate\n  kill -HUP $(cat ${home.file("daemon.pid")})\nendscript`);
      await until(
        "all are seen",
        async () => (await seen()) === LINES,
        () => `${inFiles()}`,
      );
      expect(inFiles()).toBe(LINES);
      expect((await status()).sources[0]).toMatchObject({ shed: 0, shedBytes: 0 });
    });

    it("is read to the last line when it is copied and truncated", async () => {
      await floodAndRotate("copytruncate");
      // logrotate loses lines between copying and truncating; they may have been read before.
      // Lines that were lost are counted by their size, about 110 bytes each.
      const lost = LINES - (await seen());
      expect(lost).toBeGreaterThanOrEqual(0);
      expect((await status()).sources[0]?.shedBytes).toBeLessThanOrEqual(lost * 200);
    });
  });
});
