import { once } from "node:events";
import { appendFileSync, existsSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { useNamespace } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

const CONFIG = `
state: HOME/state
sources: { auth: { type: file, path: HOME/auth.log } }
targets: { default: { enforcer: nftables } }
jails: { all: { sources: auth, filter: { failregex: '^fail <HOST>$' }, maxretry: 1, bantime: 1h } }
`;

describe.skipIf(fault !== null)(titled("a start", fault), () => {
  const namespace = useNamespace("start");
  let home: Home;
  let daemon: RunningDaemon | null;
  beforeEach(() => {
    home = new Home();
    daemon = null;
    home.configure(CONFIG);
    writeFileSync(home.file("auth.log"), "");
  });
  afterEach(async () => {
    await daemon?.end();
    namespace.run("nft", "flush", "ruleset"); // bans outlast a daemon
    home.remove();
  });

  const inKernel = (): number => (namespace.run("nft", "list", "ruleset").match(/expires/g) ?? []).length;

  it("works in a folder that was removed", async () => {
    const script = 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"';
    const command = ["sh", "-c", script, "sh", home.file("gone"), join(packageRoot(), "bin", "stoplog")];
    daemon = await RunningDaemon.start(home, namespace, { command });
    expect(daemon.status().state).toBe("healthy");
  });

  it("bans while the port of the API is taken, and is healthy once the port is free", async () => {
    const taken = await namespace.inside(
      () =>
        new Promise<Server>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    );
    const { port } = taken.address() as AddressInfo;
    const sha256 = "0".repeat(64);
    home.configure(
      `${CONFIG}api: { listen: "127.0.0.1:${port}", tokens: { a: { sha256: "${sha256}", read: true } } }\n`,
    );
    const running = (daemon = await RunningDaemon.start(home, namespace));
    const sentence = `Cannot listen on 127.0.0.1:${port}: the address is in use`;
    expect(running.status()).toMatchObject({ state: "degraded", troubles: [sentence] });
    appendFileSync(home.file("auth.log"), "fail 203.0.113.1\n");
    await until("the kernel has the ban", () => inKernel() === 1);
    expect(running.command("status")).toMatchObject({
      status: 1,
      output: expect.stringContaining(`! ${sentence}`),
    });

    await new Promise((resolve) => void taken.close(resolve));
    await until("it is healthy", () => running.status().state === "healthy");
    const shown = running.command("status");
    expect(shown.status).toBe(0);
    expect(shown.output).not.toContain("Cannot listen");
    expect(running.status()).toMatchObject({ troubles: [], warnings: [] });
    const ask = `fetch("http://127.0.0.1:${port}/v1/status").then(({ status }) => console.log(status))`;
    expect(namespace.run("node", "-e", ask).trim()).toBe("401");
    await until("it is said", () => running.log.includes("The API listens"));
    expect(running.log.split("The API listens").length - 1).toBe(1);
  });

  it("takes the configuration as the last start read it, unless it changed", async () => {
    const kept = home.file("control.sock.config");
    const maxretry = (): number | undefined => daemon?.status().jails[0]?.maxretry;
    const startAgain = async (): Promise<number> => {
      await daemon?.end();
      daemon = await RunningDaemon.start(home, namespace);
      await until("the reading is kept", () => existsSync(kept));
      return statSync(kept).ino;
    };
    const first = await startAgain();
    expect(maxretry()).toBe(1);
    expect(await startAgain()).toBe(first);
    appendFileSync(home.file("auth.log"), "fail 203.0.113.1\n");
    await until("the kernel has the ban", () => inKernel() === 1);

    home.configure(CONFIG.replace("maxretry: 1", "maxretry: 7"));
    await startAgain();
    expect(maxretry()).toBe(7);
    await until("the new reading is kept", () => statSync(kept).ino !== first);
    home.configure("nonsense: 1\n");
    await expect(RunningDaemon.start(home, namespace)).rejects.toThrow("nonsense");
  });

  it("that SIGTERM ends at any moment leaves the bans in the kernel and on disk", async () => {
    daemon = await RunningDaemon.start(home, namespace);
    daemon.command("ban", "203.0.113.2", "203.0.113.3", "--for", "1h");
    await daemon.end();
    const args = ["run", "-c", home.file("stoplog.yaml"), "--socket", home.file("control.sock")];
    // Before the configuration is read the signal itself ends the process: systemd counts both as a clean end.
    const moments = [
      ...[0, 150, 300].map((delay) => ({ delay, isSocketOpen: false, ends: [0, "SIGTERM"] })),
      ...[0, 20, 60, 150].map((delay) => ({ delay, isSocketOpen: true, ends: [0] })),
    ];
    for (const { delay, isSocketOpen, ends } of moments) {
      const child = namespace.spawn(join(packageRoot(), "bin", "stoplog"), args);
      child.stdout?.resume();
      child.stderr?.resume();
      const closed = once(child, "close");
      if (isSocketOpen) await until("the socket is open", () => existsSync(home.file("control.sock")));
      await sleep(delay);
      child.kill("SIGTERM");
      const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
      expect(ends).toContain(code ?? signal);
      expect(inKernel()).toBe(2);
    }
    daemon = await RunningDaemon.start(home, namespace);
    expect(daemon.banned()).toHaveLength(2);
    expect(daemon.log).not.toContain("Adopted");
  });
});
