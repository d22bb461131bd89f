import { spawnSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { fetchNode, NODE_VERSIONS } from "../support/node-versions.ts";
import { attempt, Listener } from "../support/packets.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { eventually } from "../support/waiting.ts";

const program = join(packageRoot(), "dist/stoplog.mjs");

describe.each(NODE_VERSIONS)("Node.js %s", (version) => {
  const node = fetchNode(version);
  const fault = namespaceFault() ?? ("fault" in node ? node.fault : null);
  const path = "path" in node ? node.path : "";

  describe.skipIf(fault !== null)(titled("runs Stoplog", fault), () => {
    const { server, attacker } = useServerAndAttacker();
    const home = new Home();
    let listener: Listener;

    beforeAll(async () => {
      listener = await Listener.open(server, 22);
      writeFileSync(home.file("log"), "");
      home.configure(`
sources:
  log: { type: file, path: HOME/log }
  syslog: { type: syslog, listen: "unix:HOME/syslog.sock" }
targets:
  web: { verdict: reject, ports: [80] }
jails:
  door: { sources: [log, syslog], filter: sshd, maxretry: 3 }
  costly: { sources: log, filter: { failregex: ['^(?=.*x)(?:a+ ?)+ of <HOST>$'] }, target: web }
api: { listen: "127.0.0.1:7878", tokens: { page: { sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, read: true } } }
state: HOME/state
`);
    });
    afterAll(() => {
      listener.close();
      home.remove();
    });

    it("bans with packets, and keeps the bans over a kill", async () => {
      const start = (): Promise<RunningDaemon> =>
        RunningDaemon.start(home, server, { command: [path, program] });
      const reach = (): Promise<string> => attempt(attacker, "192.0.2.1", 22);
      const daemon = await start();
      await eventually(async () => expect(await reach()).toBe("connected"));
      const failure = `${new Date().toISOString()} host sshd[7]: Failed password for root from 192.0.2.66 port 4711 ssh2\n`;
      appendFileSync(home.file("log"), failure.repeat(3));
      await eventually(async () => expect(daemon.banned()).toEqual(["192.0.2.66"]));
      await eventually(async () => expect(await reach()).toBe("silence"));
      await daemon.end("SIGKILL");
      expect(await reach()).toBe("silence");
      const next = await start();
      expect(next.banned()).toEqual(["192.0.2.66"]);
      expect(next.status()).toMatchObject({ state: "healthy", troubles: [] });
      await next.end();
    });

    it("runs the commands without a warning", () => {
      const run = (...args: readonly string[]) => spawnSync(path, [program, ...args], { encoding: "utf8" });
      const checked = run("check", "-c", home.file("stoplog.yaml"));
      expect([checked.status, checked.stderr]).toEqual([0, ""]);
      const tried = run("test", "sshd", home.file("log"), "--json");
      expect([tried.status, tried.stderr]).toEqual([0, ""]);
      expect(JSON.parse(tried.stdout)).toMatchObject({ lines: 3, failureLines: 3 });
    });
  });
});
