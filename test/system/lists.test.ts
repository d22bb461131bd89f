import { spawnSync } from "node:child_process";
import type { Socket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type AddressRanges, NO_RANGES, RangeCollector } from "../../src/core/ranges.ts";
import { atOnce } from "../../src/core/turns.ts";
import { FOREVER } from "../../src/core/time.ts";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { NftablesEnforcer } from "../../src/enforce/nftables/enforcer.ts";
import { ListSets, type ListSetsOptions } from "../../src/lists/kernel/list-sets.ts";
import type { ListSpec } from "../../src/lists/kernel/list-rules.ts";
import { checkList } from "../../src/lists/reading/check-list.ts";
import { ListParser } from "../../src/lists/reading/parse-list.ts";
import { SPECIAL_PURPOSE } from "../../src/core/special-purpose.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, join, namespaceFault, titled } from "../support/namespace.ts";
import { datagrams, Listener } from "../support/packets.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs the nft program to look from outside");

describe.skipIf(fault !== null)(titled("lists with real packets", fault), () => {
  const server = useNamespace("lists");
  const attacker = useNamespace("listed");
  let sets: ListSets;
  let losses: string[];
  let received: string[];
  const senders = new Map<string, Socket>();
  const listeners: Socket[] = [];

  /**
   *      attacker 198.51.100.66, .67, 2001:db8::66, ::67 ──── .1, ::1 server
   */
  beforeAll(async () => {
    const sources = ["198.51.100.66", "198.51.100.67", "2001:db8::66", "2001:db8::67"];
    join(
      { namespace: server, addresses: ["198.51.100.1/24", "2001:db8::1/64"] },
      { namespace: attacker, addresses: sources.map((one) => `${one}/${one.includes(":") ? 64 : 24}`) },
    );
    // Permanent neighbours: requests for neighbours would be counted as packets too.
    const mac = server.run("cat", "/sys/class/net/veth0/address").trim();
    for (const address of ["198.51.100.1", "2001:db8::1"]) {
      attacker.run("ip", "neighbour", "replace", address, "lladdr", mac, "dev", "veth0", "nud", "permanent");
      const listener = await datagrams(server, { port: 9, address });
      listener.on("message", (_, { address: from }) => received.push(from));
      listeners.push(listener);
    }
    for (const address of sources) senders.set(address, await datagrams(attacker, { port: 0, address }));
  });

  afterAll(() => {
    for (const socket of [...listeners, ...senders.values()]) socket.close();
    for (const namespace of [server, attacker]) namespace?.remove();
  });

  beforeEach(async () => {
    received = [];
    await open([
      { name: "first", verdict: "drop" },
      { name: "second", verdict: "drop" },
    ]);
  });

  afterEach(() => server.inside(() => sets.close({ flush: true })));

  async function open(lists: readonly ListSpec[], options: ListSetsOptions = {}): Promise<void> {
    losses = [];
    await server.inside(async () => {
      await sets?.close({ flush: true });
      sets = new ListSets(options);
      await sets.open(lists, (fact) => losses.push(fact));
    });
  }

  async function send(from: string, count = 1): Promise<void> {
    const to = from.includes(":") ? "2001:db8::1" : "198.51.100.1";
    for (let i = 0; i < count; i++) {
      await new Promise<void>((resolve) => {
        senders.get(from)!.send("x", 9, to, () => resolve());
      });
    }
  }

  async function packets(list: string): Promise<number> {
    return (await sets.counters()).get(list)?.packets ?? -1;
  }

  /** Packets from addresses on no list arrive after the others. */
  async function allArrived(): Promise<void> {
    const before = received.length;
    await send("198.51.100.67");
    await send("2001:db8::67");
    await until("the last packets arrived", () => received.length >= before + 2);
  }

  it("the first matching list drops and counts hosts and networks of both families", async () => {
    expect(await sets.replace("first", listOf("198.51.100.66", "2001:db8::66"))).toBe(2);
    expect(
      await sets.replace("second", listOf("198.51.100.64/31", "198.51.100.66/32", "203.0.113.0/24")),
    ).toBe(259);
    await send("198.51.100.66", 3);
    await send("2001:db8::66", 2);
    await allArrived();
    expect(received.toSorted()).toEqual(["198.51.100.67", "2001:db8::67"]);
    expect(await packets("first")).toBe(5);
    expect(await packets("second")).toBe(0);
    await sets.replace("first", NO_RANGES);
    await send("198.51.100.66", 7);
    await allArrived();
    expect(await packets("first")).toBe(5);
    expect(await packets("second")).toBe(7);
  });

  it("a list of wide networks drops packets from inside them", async () => {
    await sets.replace("first", listOf("198.51.0.0/16", "2001:db8::/32"));
    await send("198.51.100.66");
    await send("2001:db8::66");
    await until("both were counted", async () => (await packets("first")) === 2);
    expect(received).toEqual([]);
  });

  it("a counting list passes packets on to the next list", async () => {
    await open([
      { name: "tried", verdict: "count" },
      { name: "second", verdict: "drop" },
    ]);
    await sets.replace("tried", listOf("198.51.100.66", "198.51.100.67"));
    await sets.replace("second", listOf("198.51.100.66"));
    await send("198.51.100.66");
    await allArrived();
    expect(received.toSorted()).toEqual(["198.51.100.67", "2001:db8::67"]);
    expect(await packets("tried")).toBe(2);
    expect(await packets("second")).toBe(1);
  });

  it("a rejecting list answers the sender", async () => {
    const listener = await Listener.open(server, 22);
    onTestFinished(() => listener.close());
    await open([{ name: "first", verdict: "reject" }]);
    await sets.replace("first", listOf("198.51.100.66"));
    const outcome = await attacker.inside(async () => {
      const socket = connect({ host: "198.51.100.1", port: 22, localAddress: "198.51.100.66" });
      const became = new Promise<string>((resolve) => {
        socket.once("connect", () => resolve("connected"));
        socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
      });
      await nextTurn();
      return became;
    });
    expect(outcome).toBe("ECONNREFUSED");
    expect(await packets("first")).toBe(1);
  });

  it("an address that stays on a list is dropped without a gap while the list is replaced", async () => {
    const many = Array.from({ length: 3000 }, (_, i) => `203.0.${113 + (i >> 10)}.${i & 255}`);
    await sets.replace("first", listOf("198.51.100.66"));
    const flood = attacker.spawn(process.execPath, ["-e", FLOOD], { stdio: ["pipe", "pipe", "inherit"] });
    await once(flood.stdout!, "data");
    for (let round = 0; round < 20; round++) {
      await sets.replace("first", listOf("198.51.100.66", ...many.slice(round * 100)));
    }
    flood.stdin!.end();
    const [said] = (await once(flood.stdout!, "data")) as [Buffer];
    const sent = Number(said.toString());
    await allArrived();
    expect(sent).toBeGreaterThan(100);
    expect(received.toSorted()).toEqual(["198.51.100.67", "2001:db8::67"]);
    expect(await packets("first")).toBe(sent);
  });

  it("500,000 entries are loaded, replaced and halved while bans continue", async () => {
    // As on kernels before 6.9, where every change of the firewall sends it a notice.
    const enforcer = new NftablesEnforcer({ owner: false });
    const lost: string[] = [];
    const target = {
      name: "default",
      enforcer: "nftables",
      verdict: { kind: "drop" },
      ports: [],
      protocols: [],
    } as const;
    await server.inside(() => enforcer.open([target], (fact) => lost.push(fact)));
    let banned = 0;
    let done = false;
    const banning = (async () => {
      while (!done) {
        const prefix = parsePrefix(`203.0.${113 + (banned >> 8)}.${banned & 255}`) as Prefix;
        banned++;
        expect(await enforcer.apply([{ kind: "ban", prefix, target: "default", until: FOREVER }], 0)).toEqual(
          [],
        );
        await nextTurn();
      }
    })();
    expect(await sets.replace("first", spread(500_000, 0))).toBe(500_000);
    expect(await sets.replace("first", spread(500_000, 1))).toBe(500_000);
    expect(await sets.replace("first", spread(250_000, 1))).toBe(250_000);
    done = true;
    await banning;
    await server.inside(() => enforcer.close({ flush: true }));
    expect(banned).toBeGreaterThan(100);
    expect(lost).toEqual([]);
    expect(elementCount("first")).toBe(250_000);
    await sets.replace("first", listOf("198.51.100.66"));
    await send("198.51.100.66", 4);
    await until("all were counted", async () => (await packets("first")) === 4);
    expect(elementCount("first")).toBe(1);
  });

  it("a loaded list stays in force over a restart, and its counter continues", async () => {
    await sets.replace("first", listOf("198.51.100.66", "198.51.0.0/20"));
    await send("198.51.100.66", 2);
    await until("both were counted", async () => (await packets("first")) === 2);
    await sets.close({ flush: false });
    await send("198.51.100.66", 3);
    await open([{ name: "first", verdict: "drop" }]);
    await send("198.51.100.66");
    await until("all were counted", async () => (await packets("first")) === 6);
    expect([...(await sets.counters()).keys()]).toEqual(["first"]);
    await sets.replace("first", NO_RANGES);
    await send("198.51.100.66");
    await until("it arrives", () => received.length === 1);
  });

  it("a crash during a replacement leaves the old list in force and nothing else", async () => {
    await sets.replace("first", listOf("198.51.100.66"));
    await sets.close({ flush: false });
    // The state after an interrupted replacement.
    server.feed("add set inet stoplog_lists first_v4_32_a { type ipv4_addr; size 5; }", "nft", "-f", "-");
    await open([{ name: "first", verdict: "drop" }]);
    expect(setNames()).toEqual(["first_v4_32_b"]);
    await send("198.51.100.66");
    await until("it was counted", async () => (await packets("first")) === 1);
  });

  it("a deleted table is noticed and restored", async () => {
    await sets.close({ flush: true });
    await open([{ name: "first", verdict: "drop" }], { owner: false });
    await sets.replace("first", listOf("198.51.100.66"));
    server.run("nft", "flush", "ruleset");
    await until("the loss was told", () => losses.length > 0);
    expect(losses).toEqual([expect.stringMatching(/^another program deleted .+ table inet stoplog_lists$/)]);
    await expect(sets.replace("first", listOf("198.51.100.66"))).rejects.toThrow(
      "Cannot load the list first: the table inet stoplog_lists or a part of it is gone",
    );
    await server.inside(() => sets.open([{ name: "first", verdict: "drop" }], (fact) => losses.push(fact)));
    await sets.replace("first", listOf("198.51.100.66"));
    await send("198.51.100.66");
    await until("it was counted", async () => (await packets("first")) === 1);
  });

  it("no other process can change the table, where the kernel supports owners", () => {
    const { status } = spawnSync("ip", [
      "netns",
      "exec",
      server.name,
      "nft",
      "delete",
      "table",
      "inet",
      "stoplog_lists",
    ]);
    expect(status === 0 ? losses : "refused").not.toEqual([]);
  });

  it("closing with a flush removes everything", async () => {
    await sets.replace("first", listOf("198.51.100.66"));
    await sets.close({ flush: true });
    expect(server.run("nft", "list", "ruleset")).toBe("");
    await open([]);
  });

  it("a list with the whole Internet in it drops nothing", async () => {
    await sets.replace("first", listOf("0.0.0.0/0", "::/0", "0.0.0.0-255.255.255.255", "203.0.113.9"));
    await allArrived();
    expect(await packets("first")).toBe(0);
    expect(elementCount("first")).toBe(1);
  });

  it("a name that nft cannot show is refused", async () => {
    await expect(sets.open([{ name: "a b", verdict: "drop" }], () => {})).rejects.toThrow(
      `Cannot use "a b" as the name of a list`,
    );
  });

  it("a list that is not open cannot be loaded", async () => {
    await expect(sets.replace("third", NO_RANGES)).rejects.toThrow(
      "Cannot load the list third: it does not exist",
    );
  });

  /** Counted by nft from what the kernel holds. */
  function elementCount(list: string): number {
    const shown = spawnSync(
      "ip",
      ["netns", "exec", server.name, "nft", "-j", "list", "table", "inet", "stoplog_lists"],
      { encoding: "utf8", maxBuffer: 1 << 28 },
    );
    const { nftables } = JSON.parse(shown.stdout) as {
      nftables: { set?: { name: string; elem?: unknown[] } }[];
    };
    return nftables.reduce(
      (sum, { set }) => sum + (set?.name.startsWith(list) ? (set.elem?.length ?? 0) : 0),
      0,
    );
  }

  function setNames(): string[] {
    return [...server.run("nft", "list", "sets").matchAll(/set (\S+) \{/g)].map(([, name = ""]) => name);
  }
});

/** Sends from a listed address until its standard input ends, then prints how often. */
const FLOOD = `
  const socket = require("node:dgram").createSocket("udp4");
  let sent = 0, ended = false;
  process.stdin.on("end", () => (ended = true)).resume();
  const send = () => socket.send("x", 9, "198.51.100.1", (error) => {
    if (!error) sent++;
    if (sent === 1) console.log("begun");
    if (!ended) return setImmediate(send);
    socket.close();
    console.log(sent);
  });
  socket.bind(0, "198.51.100.66", send);
`;

function listOf(...lines: readonly string[]): AddressRanges {
  const parser = new ListParser();
  parser.beginFile();
  atOnce(parser.push(Buffer.from(lines.join("\n"))));
  parser.endFile();
  return atOnce(checkList(parser, SPECIAL_PURPOSE.slice(0, 0))).ranges;
}

/** Hosts in 44.0.0.0/6 of which no two are adjacent. */
function spread(count: number, offset: number): AddressRanges {
  const collector = new RangeCollector(1);
  for (let i = 0; i < count; i++) {
    const address = 0x2c000000 + i * 100 + offset;
    collector.addV4(address, address);
  }
  return { v4: collector.ranges, v6: NO_RANGES.v6 };
}
