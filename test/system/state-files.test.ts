import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs nft of nftables");

const CONFIG = `
sources:
  auth: { type: file, path: HOME/auth.log }
jails:
  sshd: { sources: auth, filter: sshd, bantime: 1h }
state: HOME/state
`;

const BANNED = Array.from({ length: 300 }, (_, n) => `198.51.${100 + (n >> 8)}.${n & 255}`);

/** What happens to the file of bans while the daemon is down, and what the next start says of it. */
const DAMAGES: readonly (readonly [string, (path: string) => void, string])[] = [
  ["is empty", (path) => truncateSync(path), "it is empty"],
  ["is full of zeros", (path) => writeFileSync(path, Buffer.alloc(9000)), "1 line is damaged"],
  ["is torn", (path) => truncateSync(path, statSync(path).size - 100), "1 line is damaged"],
  ["is gone", (path) => rmSync(path), "Adopted 300 bans"],
  ["is a directory", (path) => (rmSync(path), mkdirSync(path)), "it is a directory"],
  ["is a pipe", (path) => (rmSync(path), spawnSync("mkfifo", [path])), "it is not a regular file"],
];

describe.skipIf(fault !== null)(titled("state that is broken", fault), () => {
  const namespace = useNamespace("state");
  const home = new Home();
  const bans = home.file("state/bans.jsonl");
  let daemon: RunningDaemon;

  beforeAll(async () => {
    writeFileSync(home.file("auth.log"), "");
    home.configure(CONFIG);
    daemon = await RunningDaemon.start(home, namespace);
    daemon.command("ban", ...BANNED, "--for", "1h");
  });
  afterEach(() => {
    rmSync(home.file("state/bans.jsonl.damaged-1"), { recursive: true, force: true });
  });
  afterAll(async () => {
    await daemon?.end();
    home.remove();
  });

  const restart = async (change: () => void, options: Parameters<typeof RunningDaemon.start>[2] = {}) => {
    await daemon.end("SIGKILL");
    change();
    daemon = await RunningDaemon.start(home, namespace, options);
  };
  /** Resolves in the moment of the answer. */
  const post = (path: string, body: object): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const asked = request({ socketPath: home.file("control.sock"), path, method: "POST" }, (reply) => {
        resolve(reply.statusCode);
        reply.resume();
      });
      asked.on("error", reject);
      asked.end(JSON.stringify(body));
    });
  const inKernel = (): number => (daemon.ruleset().match(/expires/g) ?? []).length;

  it.each(DAMAGES)("keeps the bans of the firewall when bans.jsonl %s", async (_, damage, sentence) => {
    await restart(() => damage(bans));
    expect(daemon.log).toContain(sentence);
    expect(daemon.banned().toSorted()).toEqual(BANNED.toSorted());
    expect(inKernel()).toBe(BANNED.length);
    expect(daemon.status().troubles).toEqual([]);
    expect(statSync(bans).isFile()).toBe(true);
  });

  it("keeps an unban and a ban that were acknowledged, over a SIGKILL in the same moment", async () => {
    const { pid } = daemon;
    await post("/v1/unban", { addresses: [BANNED[0]] });
    await post("/v1/ban", { addresses: ["203.0.113.9"], duration: "1h" });
    process.kill(pid, "SIGKILL");
    await until("it is dead", () => daemon.ended !== null);
    await restart(() => undefined);
    expect(daemon.banned()).not.toContain(BANNED[0]);
    expect(daemon.banned()).toContain("203.0.113.9");
    expect(daemon.log).not.toContain("Adopted");
  });

  it("reads what it can of counters and positions, and says the rest", async () => {
    await restart(() => {
      rmSync(home.file("state/progress"), { force: true });
      spawnSync("mkfifo", [home.file("state/progress")]);
    });
    expect(daemon.log).toContain("Cannot read progress in");
    expect(daemon.log).toContain("it is kept as progress.damaged-1");
  });

  it.skipIf(!hasProgram("setpriv"))("starts as a service user whose files another user owns", async () => {
    const asNobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const command = [...asNobody, "--inh-caps=-all,+net_admin", "--ambient-caps=+net_admin"];
    await restart(
      () => {
        chmodSync(home.path, 0o777);
        chownSync(home.file("state"), 65534, 65534);
        chmodSync(bans, 0o600);
      },
      { command: [...command, new URL("../../bin/stoplog", import.meta.url).pathname] },
    );
    expect(daemon.log).toContain("permission denied");
    expect(daemon.bans()).toHaveLength(BANNED.length);
    expect(inKernel()).toBe(BANNED.length);
    renameSync(`${bans}.damaged-1`, `${bans}.gone`);
  });
});
