import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatPrefix, parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { NO_RANGES, rangesOf } from "../../src/core/ranges.ts";
import { iptablesKernelRules } from "../../src/offload/kernel/iptables-rules.ts";
import type { KernelJail } from "../../src/offload/kernel/kernel-jail.ts";
import { KernelTable } from "../../src/offload/kernel/kernel-table.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, type Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { dial, Listener } from "../support/packets.ts";
import { RawLink } from "../support/raw-link.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

const JAIL: KernelJail = {
  name: "syn",
  packets: {
    protocols: [6],
    ports: [{ first: 22, last: 22 }],
    flags: { set: 2, clear: 16 },
    interfaces: [],
    opening: false,
  },
  condition: { kind: "packets", maxretry: 5, findtime: 60_000 },
  bantime: 180_000,
  match: { verdict: { kind: "drop" }, ports: [], protocols: [] },
  ipv4Prefix: 32,
  ipv6Prefix: 128,
  addresses: 1000,
  ignored: NO_RANGES,
};

describe.skipIf(fault !== null)(titled("kernel-counted jails", fault), () => {
  const { server, attacker } = useServerAndAttacker(
    ["192.0.2.1/24", "2001:db8::1/64"],
    ["192.0.2.66/24", "2001:db8::66/64"],
  );
  let raw: RawLink;
  let table: KernelTable;

  beforeEach(async () => {
    raw = await RawLink.open(attacker, server);
    table = new KernelTable();
  });
  afterEach(async () => {
    await server.inside(() => table.close({ flush: true }));
    raw.close();
  });

  const open = (jails: readonly KernelJail[], ignored = NO_RANGES, cap = 1_000_000): Promise<void> =>
    server.inside(() => table.open({ jails, ignored, cap }, () => {}));
  const send = (times: number, source: string, more: object = {}): void => {
    const destination = source.includes(":") ? "2001:db8::1" : "192.0.2.1";
    for (let i = 0; i < times; i++) raw.send({ source, destination, ...more });
  };
  const banned = async (): Promise<readonly string[]> => {
    const waiting = await server.inside(() => table.waiting(Date.now(), 100_000));
    return waiting.flatMap(({ elements }) => elements.map(({ prefix }) => formatPrefix(prefix))).toSorted();
  };
  const counts = async (name = "syn") => (await server.inside(() => table.counts())).get(name);

  it("bans with exactly the maxretry-th packet, for IPv4 and IPv6", async () => {
    await open([JAIL]);
    for (const source of ["203.0.113.7", "2001:db8:7::7"]) {
      send(4, source);
      expect(await banned()).not.toContain(source);
      send(1, source);
      expect(await banned()).toContain(source);
      send(7, source);
    }
    // The fifth packet was counted by the ban too.
    expect(await counts()).toEqual({ stopped: 16, banned: 2, capped: 0, full: 0, uncounted: 0 });
  });

  it("bans with the first packet when maxretry is 1, and counts selected packets only", async () => {
    const jails = [{ ...JAIL, condition: { kind: "packets", maxretry: 1, findtime: 1000 } } as const];
    await open(jails);
    send(3, "203.0.113.1", { destinationPort: 80 });
    send(3, "203.0.113.2", { flags: ["syn", "ack"] });
    send(3, "203.0.113.3", { flags: ["ack"] });
    expect(await banned()).toEqual([]);
    send(1, "203.0.113.4");
    expect(await banned()).toEqual(["203.0.113.4"]);
  });

  it("spares a sender below the bucket's rate and bans one above it", async () => {
    // The bucket holds 4 packets and drains 4 a second.
    await open([{ ...JAIL, condition: { kind: "packets", maxretry: 5, findtime: 1000 } }]);
    for (let i = 0; i < 12; i++) {
      send(1, "203.0.113.1");
      send(3, "203.0.113.2");
      await sleep(300);
    }
    expect(await banned()).toEqual(["203.0.113.2"]);
  });

  it("counts and bans networks as one and spares ignored addresses inside them", async () => {
    const ignored = rangesOf([prefix("203.0.113.7"), prefix("198.51.100.0/24")]);
    await open(
      [{ ...JAIL, ipv4Prefix: 24, ipv6Prefix: 64, ignored: rangesOf([prefix("203.0.113.8")]) }],
      ignored,
    );
    send(9, "203.0.113.7");
    send(9, "203.0.113.8");
    send(9, "198.51.100.9");
    send(4, "203.0.113.20");
    expect(await banned()).toEqual([]);
    send(1, "203.0.113.21");
    for (let i = 1; i <= 5; i++) send(1, `2001:db8:7::${i}`);
    expect(await banned()).toEqual(["2001:db8:7::/64", "203.0.113.0/24"]);
    const { stopped = 0 } = (await counts()) ?? {};
    send(3, "203.0.113.7");
    send(3, "203.0.113.8");
    expect((await counts())?.stopped).toBe(stopped);
    send(3, "203.0.113.99");
    expect((await counts())?.stopped).toBe(stopped + 3);
  });

  it("keeps counting when only the ignored addresses change, and keeps bans when more changes", async () => {
    await open([JAIL]);
    send(4, "203.0.113.1");
    send(5, "203.0.113.2");
    await open([JAIL], rangesOf([prefix("203.0.113.3"), prefix("2001:db8:3::/48")]));
    send(9, "203.0.113.3");
    send(9, "2001:db8:3::1");
    send(1, "203.0.113.1");
    expect(await banned()).toEqual(["203.0.113.1", "203.0.113.2"]);
    await open([{ ...JAIL, condition: { kind: "packets", maxretry: 3, findtime: 60_000 } }]);
    send(3, "203.0.113.3");
    expect(await banned()).toEqual(["203.0.113.1", "203.0.113.2", "203.0.113.3"]);
  });

  it("bans addresses with too many connections at the same time, or too many in a row", async () => {
    const packets = { ...JAIL.packets, flags: null, opening: true };
    await open([
      { ...JAIL, name: "many", packets, condition: { kind: "connections", most: 3 } },
      { ...JAIL, name: "often", packets: { ...packets, ports: [{ first: 80, last: 80 }] } },
    ]);
    const ssh = await Listener.open(server, 22);
    const http = await Listener.open(server, 80);
    const held = [];
    for (let i = 0; i < 3; i++) held.push(await dial(attacker, "192.0.2.1", 22));
    // Packets of open connections are not new connections.
    for (const socket of held) socket.write("x".repeat(1000));
    expect(await banned()).toEqual([]);
    for (let i = 0; i < 4; i++) (await dial(attacker, "192.0.2.1", 80)).destroy();
    expect(await banned()).toEqual([]);
    for (let i = 0; i < 4; i++) void dial(attacker, "192.0.2.1", 22).catch(() => {});
    await until("the address is banned", async () => (await banned()).length > 0);
    expect((await counts("many"))?.banned).toBe(1);
    for (const socket of held) socket.destroy();
    ssh.close();
    http.close();
  });

  it("holds a limited number of bans; the rest passes and is counted [limit: kernelBans]", async () => {
    table = new KernelTable({ size: 16 });
    await open([JAIL]);
    for (let i = 1; i <= 20; i++) send(5, `203.0.113.${i}`);
    expect(await banned()).toHaveLength(16);
    expect((await counts())?.full).toBe(4);
    const [waiting] = await server.inside(() => table.waiting(Date.now(), 1000));
    await server.inside(() =>
      table.release(
        waiting!.set,
        waiting!.elements.map((element) => element.prefix),
        Date.now(),
      ),
    );
    send(1, "203.0.113.20");
    expect(await banned()).toEqual(["203.0.113.20"]);
  });

  it("counts a limited number of addresses; it counts how often it could not [limit: kernelAddresses]", async () => {
    await open([{ ...JAIL, addresses: 16 }]);
    for (let i = 1; i <= 20; i++) send(2, `203.0.113.${i}`);
    expect((await counts())?.uncounted).toBe(8);
    send(3, "203.0.113.1");
    send(3, "203.0.113.20");
    expect(await banned()).toEqual(["203.0.113.1"]);
  });

  it("forgets the count of an address", async () => {
    await open([JAIL]);
    send(4, "203.0.113.1");
    send(5, "203.0.113.2");
    const networks = ["203.0.113.1", "203.0.113.2"].map((text) => ({ jail: "syn", prefix: prefix(text) }));
    await server.inside(() => table.forget(networks, Date.now()));
    send(4, "203.0.113.1");
    send(4, "203.0.113.2");
    expect(await banned()).toEqual([]);
  });

  it("notices that its table was deleted, where it has no owner, and creates it again", async () => {
    const shared = new KernelTable({ table: "shared", owner: false });
    const plan = { jails: [JAIL], ignored: NO_RANGES, cap: 1000 };
    let lost = "";
    await server.inside(() => shared.open(plan, (fact) => (lost = fact)));
    server.run("nft", "delete", "table", "inet", "shared");
    await until("the message arrived", () => lost !== "");
    await server.inside(() => shared.open(plan, () => {}));
    expect(server.run("nft", "list", "table", "inet", "shared")).toContain("@syn/counted_v4");
    await server.inside(() => shared.close({ flush: true }));
  });

  it.skipIf(!hasProgram("iptables"))("does the same with hashlimit and recent of iptables", () => {
    const jail: KernelJail = { ...JAIL, ipv6Prefix: 64 };
    const rules = iptablesKernelRules([
      { jail, ignored: [prefix("203.0.113.7"), prefix("2001:db8:8::/48")] },
      {
        jail: {
          ...JAIL,
          condition: { kind: "connections", most: 3 },
          packets: { ...JAIL.packets, opening: true },
        },
        ignored: [],
      },
    ]);
    server.feed(rules.join("\n"), "sh", "-e");
    for (let i = 0; i < 8; i++) {
      send(1, "203.0.113.7");
      send(1, "203.0.113.1");
      send(1, `2001:db8:7::${i}`);
      send(1, "2001:db8:8::1");
    }
    send(4, "203.0.113.2");
    // The fifth of eight packets and the rest were dropped.
    expect(dropped(server, "iptables")).toBe(4);
    expect(dropped(server, "ip6tables")).toBe(4);
  });
});

/** Packets that DROP rules counted. */
function dropped(server: Namespace, program: string): number {
  const lines = server.run(program, "-t", "raw", "-vnxL", "STOPLOG_JAIL_1").split("\n");
  return lines
    .filter((line) => line.includes("DROP"))
    .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`${text} is not a network`);
  return parsed;
}
