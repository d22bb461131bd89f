import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (["nft", "iptables", "ipset"].every(hasProgram)
    ? null
    : "needs nft, iptables and ipset, to look at the kernel from outside");

/** A target of each kind, named after its enforcer; dots and dashes are allowed in names. */
const TARGETS: Readonly<Record<string, string>> = {
  nftables: "{ enforcer: nftables }",
  ipset: "{ enforcer: ipset, verdict: reject }",
  iptables: "{ enforcer: iptables, ports: [22, 80-90], verdict: reject }",
  recent: "{ enforcer: recent, list: BLOCKER }",
  route: "{ enforcer: route }",
  "hosts.deny": "{ enforcer: hosts.deny, path: HOME/hosts.deny }",
  proxy: "{ enforcer: proxy, format: nginx-geo, path: HOME/banned }",
  command:
    "{ enforcer: command, start: [mkdir, -p, HOME/held], ban: [touch, 'HOME/held/{address}'], unban: [rm, -f, 'HOME/held/{address}'], stop: [rmdir, HOME/held] }",
  "own-nft-set": "{ sets: [inet admin blocked4, inet admin blocked6] }",
  "own-ipset-set": "{ enforcer: ipset, sets: [theirs4, theirs6] }",
  "a.name-of_64-characters.a.name-of_64-characters.a.name-of_64-cha": "{ enforcer: iptables }",
  "b.name-of_64-characters.a.name-of_64-characters.a.name-of_64-cha": "{ enforcer: ipset }",
};

const ADMIN = `
table inet admin {
  set blocked4 { type ipv4_addr; flags interval; elements = { 10.9.9.9 } }
  set blocked6 { type ipv6_addr; flags timeout; }
}
`;

/** Each jail bans at the target whose number in the list is the jail's number plus `shift`. */
function configOf(targets: readonly string[], { shift = 0, without = [] as readonly string[] } = {}): string {
  const left = targets.filter((name) => !without.includes(name));
  const jails = left.map((name, i) => {
    const number = targets.indexOf(name);
    const target = left[(i + shift) % left.length];
    return `
  counts-${number}: { sources: log, filter: { failregex: ['fail${number} <HOST>$'] }, maxretry: 2, bantime: 1h, target: ${target} }
  brief-${number}: { sources: log, filter: { failregex: ['brief${number} <HOST>$'] }, maxretry: 1, bantime: 3s, target: ${target} }`;
  });
  return `
defaults: { ipv6_prefix: 128 }
sources:
  log: { type: file, path: HOME/log }
targets:
${left.map((name) => `  ${name}: ${name === "nft" ? "{ enforcer: nft }" : TARGETS[name]}`).join("\n")}
jails:${jails.join("")}
state: HOME/state
`;
}

describe.skipIf(fault !== null)(titled("stoplog run with an enforcer of each kind", fault), () => {
  const server = useNamespace("kinds");

  beforeAll(() => {
    for (const program of ["iptables", "ip6tables"])
      server.run(program, "-A", "INPUT", "-m", "recent", "--name", "BLOCKER", "--rcheck", "-j", "DROP");
    server.feed(ADMIN, "nft", "-f", "-");
    server.run("ipset", "create", "theirs4", "hash:ip");
    server.run("ipset", "create", "theirs6", "hash:ip", "family", "inet6", "timeout", "0");
    server.run("ipset", "add", "theirs4", "10.9.9.9");
  });

  it.each([
    ["by netlink messages, programs and files", Object.keys(TARGETS)],
    ["by the program nft", ["nft"]],
  ])("bans, unbans, survives a crash, follows a reload and cleans up: %s", async (_, targets) => {
    const home = new Home();
    writeFileSync(home.file("log"), "");
    writeFileSync(home.file("hosts.deny"), "# mine\n");
    home.configure(configOf(targets));
    const around = (): string =>
      [
        server.run("iptables", "-S"),
        server.run("ip6tables", "-S"),
        server.run("ipset", "list", "-n"),
        server.run("ip", "route", "show", "table", "all"),
        server.run("ip", "-6", "route", "show", "table", "all"),
        server.run("nft", "list", "table", "inet", "admin"),
        server.run("nft", "list", "tables"),
        server.run("cat", "/proc/net/xt_recent/BLOCKER"),
        readFileSync(home.file("hosts.deny"), "latin1"),
        String(existsSync(home.file("held"))),
      ].join("\n");
    const before = around();
    let daemon = await RunningDaemon.start(home, server);
    /** The bans of a target as the system's own tools show them. */
    const held = (name: string): string => {
      const list = (): string => server.run("ipset", "list", "-n");
      const sets = (begin: string): string =>
        list()
          .split("\n")
          .filter((set) => set.startsWith(begin))
          .map((set) => server.run("ipset", "list", set))
          .join("\n");
      const chains = (begin: string): string =>
        [server.run("iptables", "-S"), server.run("ip6tables", "-S")]
          .join("\n")
          .split("\n")
          .filter((rule) => rule.startsWith(`-A stoplog-${begin}`))
          .join("\n");
      switch (name) {
        case "nft":
        case "nftables":
          return server.run("nft", "list", "table", "inet", "stoplog");
        case "ipset":
          return sets("stoplog-ipset:");
        case "iptables":
          return chains("iptables");
        case "recent":
          return server
            .run("cat", "/proc/net/xt_recent/BLOCKER")
            .replaceAll("2001:0db8:0000:0000:0000:0000:0000:00", "2001:db8::");
        case "route":
          return (
            server.run("ip", "route", "show", "type", "blackhole") +
            server.run("ip", "-6", "route", "show", "type", "blackhole")
          );
        case "hosts.deny":
          return readFileSync(home.file("hosts.deny"), "latin1");
        case "proxy":
          return readFileSync(home.file("banned"), "latin1");
        case "command":
          return readdirSync(home.file("held")).join("\n");
        case "own-nft-set":
          return server.run("nft", "list", "table", "inet", "admin");
        case "own-ipset-set":
          return sets("theirs");
        default:
          return name.startsWith("a") ? chains("a") : sets("stoplog-b");
      }
    };
    const holds = (name: string, address: string): boolean =>
      new RegExp(`(?<![\\w.:])${address.replaceAll(".", "\\.")}(?![\\w.:])`).test(held(name));
    const write = (lines: readonly string[]): void =>
      appendFileSync(home.file("log"), lines.map((line) => `${new Date().toISOString()} ${line}\n`).join(""));
    const all = (what: string, is: (name: string, number: number) => boolean) =>
      Promise.all(
        targets.map((name, i) =>
          until(
            `${what} at ${name}`,
            () => is(name, i),
            () => `${daemon.log}\n${held(name)}`,
          ),
        ),
      );
    const v4 = (i: number, net = "192.0.2"): string => `${net}.${i + 16}`;
    const v6 = (i: number): string => `2001:db8::${(i + 16).toString(16)}`;

    // Ban by log lines and by hand, unban by hand.
    write(
      targets.flatMap((__, i) =>
        [v4(i), v6(i)].flatMap((address) => [`fail${i} ${address}`, `fail${i} ${address}`]),
      ),
    );
    await all("an address is banned by lines", (name, i) => holds(name, v4(i)) && holds(name, v6(i)));
    for (const i of targets.keys()) {
      expect(
        daemon.command("ban", v4(i, "198.51.100"), v4(i, "203.0.113"), "--jail", `counts-${i}`).status,
      ).toBe(0);
    }
    await all("the address is banned by hand", (name, i) => holds(name, v4(i, "198.51.100")));
    expect(daemon.command("unban", ...targets.map((__, i) => v4(i, "198.51.100"))).status).toBe(0);
    await all("the address is unbanned", (name, i) => !holds(name, v4(i, "198.51.100")));
    await all("the other address is still banned", (name, i) => holds(name, v4(i, "203.0.113")));

    // Kill the daemon while a ban runs that expires before the next start.
    write(targets.map((__, i) => `brief${i} ${v4(i, "198.51.100")}`));
    await all("a short ban holds", (name, i) => holds(name, v4(i, "198.51.100")));
    await until(
      "it is written down",
      () => readFileSync(home.file("state/bans.jsonl"), "latin1").split("brief").length > targets.length,
    );
    await daemon.end("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 3000));
    daemon = await RunningDaemon.start(home, server);
    await all("the ban that ended is gone", (name, i) => !holds(name, v4(i, "198.51.100")));
    await all(
      "running bans hold",
      (name, i) => holds(name, v4(i)) && holds(name, v6(i)) && holds(name, v4(i, "203.0.113")),
    );
    expect(server.run("nft", "list", "table", "inet", "admin")).toContain("10.9.9.9");

    // Each jail moves to another target; existing bans stay where they are.
    home.configure(configOf(targets, { shift: 1 }));
    expect(daemon.command("reload").status).toBe(0);
    const moved = (i: number): number => (i - 1 + targets.length) % targets.length;
    write(targets.flatMap((__, i) => [`fail${i} ${v4(i, "198.51.100")}`, `fail${i} ${v4(i, "198.51.100")}`]));
    await all("new bans are at the jail's new target", (name, i) => holds(name, v4(moved(i), "198.51.100")));
    await all("older bans are at the old target", (name, i) => holds(name, v4(i)));

    // Targets are removed; their bans move to nftables, and stay there.
    const without = targets.filter((name) => /^(iptables|route|proxy|command|own|b)/.test(name));
    const stays = (name: string, i: number): boolean =>
      holds(without.includes(name) ? "nftables" : name, v4(i));
    if (without.length > 0) {
      home.configure(configOf(targets, { without }));
      expect(daemon.command("reload").status).toBe(0);
      for (const name of without.filter((one) => one !== "command"))
        expect([name, holds(name, v4(targets.indexOf(name)))]).toEqual([name, false]);
      expect(existsSync(home.file("held"))).toBe(false);
      home.configure(configOf(targets));
      expect(daemon.command("reload").status).toBe(0);
      await all("moved bans stay where they are", stays);
    }

    await daemon.end();
    await all("a stopped daemon leaves bans", stays);
    daemon = await RunningDaemon.start(home, server, { args: ["--flush-on-exit"] });
    // A reload on the way out must not create anything again.
    daemon.signal("SIGHUP");
    await daemon.end();
    expect(daemon.log).not.toMatch(/Cannot/);
    expect(around()).toBe(before);
    home.remove();
  });
});
