import { appendFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (["nft", "iptables", "ipset"].every(hasProgram)
    ? null
    : "needs nft, iptables and ipset, to look at the kernel from outside");

/** Places with room for `room` bans, by the target's name. */
const PLACES = [
  { name: "nft-set", room: 3, target: "{ sets: [inet admin small4] }" },
  { name: "ipset", room: 3, target: "{ enforcer: ipset, sets: [small4] }" },
  { name: "recent", room: 100, target: "{ enforcer: recent, list: SMALL }" },
] as const;

describe.skipIf(fault !== null)(titled("stoplog run with full sets", fault), () => {
  const server = useNamespace("full");
  const home = new Home();
  let daemon: RunningDaemon;

  beforeAll(async () => {
    server.feed(
      "table inet admin { set small4 { type ipv4_addr; flags timeout; size 3; }; chain input { type filter hook input priority 0; ip saddr @small4 drop; }; }",
      "nft",
      "-f",
      "-",
    );
    server.run("ipset", "create", "small4", "hash:ip", "maxelem", "3", "timeout", "0");
    server.run("iptables", "-A", "INPUT", "-m", "recent", "--name", "SMALL", "--rcheck", "-j", "DROP");
    writeFileSync(home.file("log"), "");
    home.configure(`
sources: { log: { type: file, path: HOME/log } }
targets:
${PLACES.map(({ name, target }) => `  ${name}: ${target}`).join("\n")}
jails:
${PLACES.map(({ name }) => `  ${name}: { sources: log, filter: { failregex: ['${name} <HOST>$'] }, maxretry: 1, bantime: 1h, target: ${name} }`).join("\n")}
state: false
`);
    daemon = await RunningDaemon.start(home, server);
  });
  afterAll(async () => {
    await daemon.end();
    home.remove();
  });

  const held = (name: string): readonly string[] => {
    const text =
      name === "nft-set"
        ? server.run("nft", "list", "set", "inet", "admin", "small4")
        : name === "ipset"
          ? server.run("ipset", "list", "small4")
          : server.run("cat", "/proc/net/xt_recent/SMALL");
    return (text.match(/203\.0\.113\.\d+/g) ?? []).toSorted();
  };
  const address = (n: number): string => `203.0.113.${n}`;
  const troubles = (): string => daemon.status().troubles.join("\n");
  const notEnforced = (): readonly string[] =>
    daemon
      .bans()
      .filter(({ enforced }) => enforced === false)
      .map((ban) => ban.address);

  it.each(PLACES)(
    "says what is not enforced, and enforces it as soon as there is room: $name",
    async ({ name, room }) => {
      const line = (n: number): void =>
        appendFileSync(home.file("log"), `${new Date().toISOString()} ${name} ${address(n)}\n`);
      const all = Array.from({ length: room }, (_, i) => address(i + 1));
      expect(daemon.command("ban", ...all, "--for", "-1", "--target", name).status).toBe(0);
      expect(held(name)).toEqual(all.toSorted());

      // Permanent bans do not make room.
      const more = daemon.command("ban", address(150), "--for", "1h", "--target", name);
      expect([more.status, more.output]).toEqual([
        1,
        expect.stringMatching(/^Banned 203\.0\.113\.150 at \S+ for 1h, but it is not enforced: .* is full/),
      ]);
      const [row] = JSON.parse(daemon.command("why", address(150), "--json").output).bans;
      expect(row).toMatchObject({ enforced: false, trouble: expect.stringContaining("full") });
      expect(notEnforced()).toEqual([address(150)]);
      expect(daemon.command("list").output).toMatch(/203\.0\.113\.150 .*not enforced: .*full/);
      expect(troubles()).toMatch(/1 ban not enforced: .*full/);
      expect(daemon.command("status").status).toBe(1);

      // Its lines do not count as those of a banned address.
      line(150);
      line(150);
      const jail = () => daemon.status().jails.find((one) => one.name === name);
      await until("the lines were read", () => (jail()?.failures ?? 0) >= 2);
      expect(jail()).toMatchObject({ alreadyBanned: 0, notEnforced: 2, bans: 0 });

      expect(daemon.command("unban", address(1)).status).toBe(0);
      await until("the refused ban has its place", () => held(name).includes(address(150)));
      await until("nothing is wrong", () => troubles() === "", troubles);
      expect(notEnforced()).toEqual([]);
      expect(daemon.command("status").status).toBe(0);

      // A newer ban has the place of the one that ends first.
      line(151);
      await until(
        "the newest ban is enforced",
        () => held(name).includes(address(151)) && notEnforced().join() === address(150),
        () => daemon.log,
      );
      expect(held(name)).not.toContain(address(150));
      daemon.command("unban", "--all");
      await until("nothing is wrong again", () => troubles() === "" && held(name).length === 0, troubles);
    },
  );
});
