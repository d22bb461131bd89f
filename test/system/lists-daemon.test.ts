import { existsSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { EchoService, reaches } from "../support/service.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (hasProgram("nft") ? null : "needs nft of nftables, to look at the kernel from outside");
const SERVER = "198.51.100.1";
const ATTACKER = "198.51.100.66";

describe.skipIf(fault !== null)(titled("stoplog run with lists", fault), () => {
  const { server, attacker } = useServerAndAttacker([`${SERVER}/24`], [`${ATTACKER}/24`]);
  let service: EchoService;
  let home: Home;
  let daemon: RunningDaemon | null = null;
  let web: Server | null = null;

  beforeAll(async () => {
    service = await EchoService.start(server);
  });
  afterAll(() => {
    service?.stop();
  });
  beforeEach(() => {
    home = new Home();
  });
  afterEach(async () => {
    await daemon?.end();
    daemon = null;
    web?.closeAllConnections();
    web?.close();
    web = null;
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const comesThrough = () => reaches(attacker, SERVER, service.port);
  const list = () => daemon!.status().lists[0];

  async function start(yaml: string): Promise<void> {
    home.configure(`state: HOME/state\n${yaml}`);
    daemon = await RunningDaemon.start(home, server);
  }

  it("drops packets from listed addresses, counts them, reports skipped lines, and follows the file", async () => {
    writeFileSync(home.file("bad.txt"), `${ATTACKER}\n198.51.100.0/24\n0.0.0.0/0\n10.0.0.0/8\njunk\n`);
    await start("lists: { bad: { file: HOME/bad.txt } }\nignoreip: [198.51.100.99]\n");
    await until("the list is loaded", () => list()?.networks !== 0);
    expect(await comesThrough()).toBe(false);
    await until("packets are counted", () => (list()?.packets ?? 0) > 0);
    expect(list()).toMatchObject({
      name: "bad",
      verdict: "drop",
      malformed: 1,
      wide: 1,
      held: null,
      trouble: null,
    });
    expect(list()?.remarks).toEqual([
      "1 line malformed, 1 line too wide",
      "10.0.0.0/8 is private: taken out",
      `${SERVER} is an own address: taken out`,
      "198.51.100.99 is allow-listed: taken out",
      'line 3, "0.0.0.0/0", is wider than a /8, and was not taken',
      'line 5, "junk", is not an address or network',
    ]);
    expect(daemon!.log).toContain("List bad: 13 networks, dropped");
    expect(daemon!.command("why", ATTACKER).output).toContain(
      `${ATTACKER} is not banned, but blocked: it is on the list bad`,
    );
    writeFileSync(home.file("bad.txt"), "203.0.113.1\n");
    await until("the list is loaded again", () => list()?.networks === 1);
    expect(await comesThrough()).toBe(true);
    expect(daemon!.command("status").output).toMatch(/^bad +drop +1 /m);
  });

  it("holds a list that suddenly grows until it is released", async () => {
    const entries = (n: number): string =>
      Array.from({ length: n }, (_, i) => `203.0.${i >> 8}.${(i & 255) | 1}\n`)
        .filter((_, i) => i % 2 === 1)
        .join("");
    writeFileSync(home.file("bad.txt"), entries(2000));
    await start("lists: { bad: { file: HOME/bad.txt } }\n");
    await until("the list is loaded", () => (list()?.networks ?? 0) > 0);
    const before = list()?.networks;
    writeFileSync(home.file("bad.txt"), entries(20_000));
    await until("it is held", () => list()?.held !== null);
    expect(list()?.networks).toBe(before);
    expect(daemon!.command("held").output).toContain("bad     list");
    expect(daemon!.command("held", "--release", "--origin", "unknown").output).toBe("Carried out 0 orders\n");
    expect(daemon!.command("held", "--release", "--origin", "bad").output).toBe("Carried out 1 order\n");
    await until("it is in force", () => (list()?.networks ?? 0) > (before ?? 0));
    expect(daemon!.command("held").output).toBe("Nothing is held\n");
  });

  it("keeps lists in force over a restart and removes them when the configuration has none", async () => {
    writeFileSync(home.file("bad.txt"), `${ATTACKER}\n`);
    await start("lists: { bad: { file: HOME/bad.txt } }\n");
    await until("the list is loaded", () => list()?.networks === 1);
    await daemon!.end();
    expect(await comesThrough()).toBe(false);
    await start("sources: {}\n");
    expect(await comesThrough()).toBe(true);
    expect(server.run("nft", "list", "tables")).not.toContain("stoplog_lists");
  });

  it("follows a reload: new lists, another verdict, an allow-listed address", async () => {
    writeFileSync(home.file("bad.txt"), `${ATTACKER}\n203.0.113.1\n`);
    await start("sources: {}\n");
    const reload = (yaml: string) => {
      home.configure(`state: HOME/state\n${yaml}`);
      expect(daemon!.command("reload").error).toBe("");
    };
    reload("lists: { bad: { file: HOME/bad.txt } }\n");
    await until("the list is loaded", () => list()?.networks === 2);
    expect(await comesThrough()).toBe(false);
    reload("lists: { bad: { file: HOME/bad.txt, verdict: count } }\n");
    expect(await comesThrough()).toBe(true);
    reload(`lists: { bad: { file: HOME/bad.txt } }\nignoreip: [${ATTACKER}]\n`);
    await until("the address is removed from the list", () => list()?.networks === 1);
    expect(await comesThrough()).toBe(true);
    reload("sources: {}\n");
    await until("there is no list", () => daemon!.status().lists.length === 0);
  });

  it("fetches a list and keeps it over a restart without network", async () => {
    await server.inside(async () => {
      web = createServer((_, response) => response.end(`${ATTACKER}\n`));
      web.listen(8080, "127.0.0.1");
      await once(web, "listening");
    });
    const config = "lists: { far: { url: 'http://127.0.0.1:8080/list.txt' } }\n";
    await start(config);
    await until("the list is loaded", () => list()?.networks === 1);
    await until("the list is saved", () => existsSync(home.file("state/lists/far.list")));
    expect(await comesThrough()).toBe(false);
    await daemon!.end();
    web!.closeAllConnections();
    web!.close();
    server.run("nft", "flush", "ruleset");
    await start(config);
    await until("the list is there", () => list()?.networks === 1);
    expect(await comesThrough()).toBe(false);
    expect(list()?.state).toMatch(/^fetches http:\/\/127.0.0.1:8080\/list.txt again at /);
  });

  it("removes lists with --flush-on-exit", async () => {
    writeFileSync(home.file("bad.txt"), `${ATTACKER}\n`);
    home.configure("state: HOME/state\nlists: { bad: { file: HOME/bad.txt } }\n");
    daemon = await RunningDaemon.start(home, server, { args: ["--flush-on-exit"] });
    await until("the list is loaded", () => list()?.networks === 1);
    await daemon.end();
    expect(server.run("nft", "list", "ruleset")).toBe("");
  });

  it("changes nothing in a dry run", async () => {
    writeFileSync(home.file("bad.txt"), `${ATTACKER}\n`);
    home.configure("state: HOME/state\nlists: { bad: { file: HOME/bad.txt } }\n");
    daemon = await RunningDaemon.start(home, server, { args: ["--dry-run"] });
    await until("the list is loaded", () => list()?.networks === 1);
    expect(server.run("nft", "list", "ruleset")).toBe("");
  });

  it("are not removed by a second daemon without lists, and are refused to one with lists", async () => {
    writeFileSync(home.file("bad.txt"), `${ATTACKER}\n`);
    const dry = "targets: { default: { enforcer: route } }\nlists: { bad: { file: HOME/bad.txt } }\n";
    await start(dry);
    await until("the list is loaded", () => list()?.networks !== 0);
    const other = new Home();
    other.configure("state: HOME/state\ntargets: { default: { enforcer: nftables } }\n");
    const second = await RunningDaemon.start(other, server);
    second.command("ban", "203.0.113.1");
    expect(server.run("nft", "list", "table", "inet", "stoplog_lists")).toContain(ATTACKER);
    expect(await comesThrough()).toBe(false);
    await second.end();
    writeFileSync(other.file("bad.txt"), "203.0.113.2\n");
    other.configure(
      "state: HOME/state\ntargets: { default: { enforcer: nftables } }\nlists: { bad: { file: HOME/bad.txt } }\n",
    );
    const { status, log } = await RunningDaemon.fail(other, server);
    expect(status).toBe(2);
    expect(log).toContain(`Cannot use the table inet stoplog_lists: process ${daemon!.status().pid} uses it`);
    other.remove();
  });
});
