import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StatusReply } from "../../src/api/wire.ts";
import { ask } from "../../src/cli/control.ts";
import { LogDaemon, RSYSLOG, SYSLOG_NG } from "../support/log-daemon.ts";
import { hasProgram, Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon, until } from "../support/running-daemon.ts";

const run = promisify(execFile);

describe.each([RSYSLOG, SYSLOG_NG])("a log daemon's file, rotated by logrotate in a flood", (kind) => {
  const fault = namespaceFault() ?? kind.fault ?? (hasProgram("logrotate") ? null : "needs logrotate");
  describe.skipIf(fault !== null)(titled(kind.name, fault), () => {
    const LINES = 40_000;
    let namespace: Namespace;
    let home: Home;
    let daemon: RunningDaemon;
    let logging: LogDaemon;

    beforeAll(() => {
      namespace = Namespace.create("rotate");
    });
    afterAll(() => namespace?.remove());
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

    /** Does the daemon have the file open that bears the name now? The kernel tells of each by what it is called by now. */
    const hasTheFile = (pid: number) =>
      readdirSync(`/proc/${pid}/fd`).some((fd) => {
        try {
          return readlinkSync(`/proc/${pid}/fd/${fd}`) === home.file("all.log");
        } catch {
          return false; // closed meanwhile
        }
      });
    /** Rotates again and again while the flood comes, each time when the daemon has found the new file. */
    const floodAndRotate = async (how: string): Promise<number> => {
      const [config, state] = [home.file("rotate.conf"), home.file("rotate.state")];
      writeFileSync(config, `${home.file("all.log")} {\nrotate 999\n${how}\n}\n`);
      const { pid } = daemon;
      await logging.fail("192.0.2.1", 1);
      let flooding = true;
      const flood = logging.fail("192.0.2.1", LINES - 1).finally(() => (flooding = false));
      let rotations = 0;
      while (flooding) {
        await until("the new file is found", () => hasTheFile(pid));
        await run("logrotate", ["--force", "--state", state, config]);
        rotations++;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await flood;
      return rotations;
    };
    const inFiles = (): number =>
      readdirSync(home.path)
        .filter((name) => name.startsWith("all.log"))
        .map((name) => readFileSync(home.file(name), "latin1").split("Failed password").length - 1)
        .reduce((sum, count) => sum + count, 0);

    it("is read to the last line when it is renamed and created anew", async () => {
      const rotations = await floodAndRotate(
        `create\npostrotate\n  kill -HUP $(cat ${home.file("daemon.pid")})\nendscript`,
      );
      expect(rotations).toBeGreaterThan(1);
      await until(
        "all are seen",
        async () => (await seen()) === LINES,
        () => `${inFiles()}`,
      );
      expect(inFiles()).toBe(LINES);
      expect((await status()).sources[0]).toMatchObject({ shed: 0, shedBytes: 0 });
    });

    it("is read to the last line when it is copied and cut", async () => {
      const rotations = await floodAndRotate("copytruncate");
      expect(rotations).toBeGreaterThan(1);
      // Between its copy and its cut logrotate itself loses lines; we may have seen them.
      await until(
        "all are seen that there are",
        async () => (await seen()) >= inFiles() && (await status()).sources[0]?.waitingBytes === 0,
        () => `${inFiles()}`,
      );
      // What was neither seen nor stands anywhere is counted as far as its size was known, at some 110 bytes a line.
      const lost = LINES - (await seen());
      expect(lost).toBeGreaterThanOrEqual(0);
      expect((await status()).sources[0]?.shedBytes).toBeLessThanOrEqual(lost * 200);
    });
  });
});
