import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (["nft", "ipset", "iptables"].every(hasProgram) ? null : "needs nft, ipset and iptables");

const SOURCES = `
sources:
  auth: { type: file, path: HOME/auth.log }
jails:
  all: { sources: auth, filter: { failregex: '^fail <HOST>$' }, maxretry: 1, bantime: 1h }
  other: { sources: auth, filter: { failregex: '^other <HOST>$' }, maxretry: 1, bantime: 1h, target: missing-set }
state: HOME/state
`;

const SOUND = `${SOURCES.replace(", target: missing-set", "")}
targets:
  default: { enforcer: nftables }
`;

/** Everything that can be missing at the start of a machine. */
const BROKEN = `${SOURCES}
targets:
  default: { enforcer: nftables }
  missing-set: { enforcer: ipset, sets: [later4] }
  own-sets: { enforcer: ipset }
  no-list: { enforcer: recent, list: NOT_THERE }
  no-program: { enforcer: command, ban: ["true"], unban: ["true"], start: [HOME/not-there] }
api:
  listen: 127.0.0.1:PORT
  cert: HOME/later.crt
  key: HOME/later.key
  tokens: { t: { sha256: "${"0".repeat(64)}", read: true } }
`;

describe.skipIf(fault !== null)(titled("a start with parts that do not work", fault), () => {
  const namespace = useNamespace("broken");
  const home = new Home();
  let taken: Server;
  let daemon: RunningDaemon;

  beforeAll(async () => {
    writeFileSync(home.file("auth.log"), "");
    taken = await namespace.inside(
      () =>
        new Promise<Server>((resolve) => {
          const server = createServer().listen(0, "127.0.0.1", () => resolve(server));
        }),
    );
    home.configure(SOUND);
    daemon = await RunningDaemon.start(home, namespace);
    daemon.command("ban", "198.51.100.1", "198.51.100.2", "--for", "1h");
    await daemon.end();
  });
  afterAll(async () => {
    await daemon?.end();
    taken?.close();
    home.remove();
  });

  const inKernel = (): number => (namespace.run("nft", "list", "ruleset").match(/expires/g) ?? []).length;
  const write = (line: string): void => appendFileSync(home.file("auth.log"), `${line}\n`);

  it("leaves the bans alone when no target can be opened, and ends", async () => {
    // With the targets of the last run, these would go on to hold the bans.
    rmSync(home.file("state/targets.json"));
    home.configure(`${SOUND.replace("enforcer: nftables", "enforcer: ipset, sets: [later4]")}`);
    const { status, log } = await RunningDaemon.fail(home, namespace, { args: ["--flush-on-exit"] });
    expect(status).toBe(2);
    expect(log).toContain("Cannot use the set later4: it does not exist");
    expect(inKernel()).toBe(2);
  });

  it("works with the others, and says each", async () => {
    const { port } = taken.address() as { port: number };
    home.configure(BROKEN.replace("PORT", String(port)));
    daemon = await RunningDaemon.start(home, namespace);
    const { state, troubles } = daemon.status();
    expect(state).toBe("degraded");
    const sentences = troubles.join("\n");
    for (const part of ["missing-set", "no-list", "no-program", "certificate"])
      expect(sentences).toContain(part);
    expect(sentences).not.toContain("own-sets");
    expect(daemon.banned()).toHaveLength(2);
    write("fail 203.0.113.1");
    await until("the line bans", () => daemon.banned().length === 3);
    await until("the kernel has it", () => inKernel() === 3);
    expect(daemon.command("status").status).toBe(1);
  });

  it("does not run beside a daemon with the same state or table, and removes no file for its socket", async () => {
    const { pid } = daemon.status();
    const other = { args: ["--socket", home.file("other.sock")] };
    const both = await RunningDaemon.fail(home, namespace, other);
    expect(both).toMatchObject({ status: 2 });
    expect(both.log).toContain(
      `Cannot use the state directory ${home.file("state")}: process ${pid} uses it`,
    );
    home.configure(SOUND.replace("state: HOME/state", "state: false"));
    const table = await RunningDaemon.fail(home, namespace, other);
    expect(table.log).toContain(`Cannot use the table inet stoplog: process ${pid} uses it`);
    writeFileSync(home.file("other.sock"), "precious");
    const { log } = await RunningDaemon.fail(home, namespace, other);
    expect(log).toContain("it is not a socket");
    expect(readFileSync(home.file("other.sock"), "utf8")).toBe("precious");
    const same = await RunningDaemon.fail(home, namespace);
    expect(same.log).toContain(`another stoplog is running there (process ${pid})`);
    expect(daemon.banned()).toHaveLength(3);
  });

  it("takes a reload that is not at fault for what was broken before", () => {
    const { port } = taken.address() as { port: number };
    home.configure(BROKEN.replace("PORT", String(port)).replace("bantime: 1h }", "bantime: 2h }"));
    expect(daemon.command("reload")).toMatchObject({ status: 0 });
    expect(daemon.status().troubles.join("\n")).toContain("missing-set");
  });

  it("enforces at a target as soon as it is there", async () => {
    write("other 203.0.113.2");
    await until("the line bans", () => daemon.banned().length === 4);
    namespace.run("ipset", "create", "later4", "hash:ip", "timeout", "0");
    await until("the set has the ban", () =>
      namespace.run("ipset", "list", "later4").includes("203.0.113.2"),
    );
    await until("it is said", () => /The trouble with target missing-set is over/.test(daemon.log));
  });

  it("sees the lines that are written while it starts", async () => {
    await daemon.end();
    // A source of its own: the other one has a saved position, and would read a new file from its beginning.
    home.configure(SOUND.replaceAll("HOME/auth.log", "HOME/new.log").replaceAll("auth", "new"));
    writeFileSync(home.file("new.log"), "fail 203.0.113.66\n".repeat(3));
    const address = (n: number): string => `198.18.${n >> 8}.${n & 255}`;
    let written = 0;
    const write = (): void => appendFileSync(home.file("new.log"), `fail ${address(++written)}\n`);
    const timer = setInterval(write, 20);
    daemon = await RunningDaemon.start(home, namespace).finally(() => clearInterval(timer));
    await until("the last is banned", () => daemon.banned().includes(address(written)));
    const banned = new Set(daemon.banned());
    expect(banned).not.toContain("203.0.113.66");
    // Those before the configuration was read are old lines; after the first one that bans, no line is missing.
    const first = Array.from({ length: written }, (_, n) => n + 1).find((n) => banned.has(address(n))) ?? 0;
    const missing = Array.from({ length: written - first }, (_, n) => address(first + n)).filter(
      (one) => !banned.has(one),
    );
    expect(missing).toEqual([]);
    expect(written - first).toBeGreaterThan(3);
  });
});
