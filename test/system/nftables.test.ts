import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { FOREVER, HOUR, type Instant } from "../../src/core/time.ts";
import type { Enforcement, PacketTarget } from "../../src/enforce/enforcer.ts";
import { NftablesEnforcer, type NftablesOptions } from "../../src/enforce/nftables/enforcer.ts";
import { useNamespace, useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, join, namespaceFault, titled } from "../support/namespace.ts";
import { attempt, datagrams, dial, Listener } from "../support/packets.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs the nft program to look from outside");

describe.skipIf(fault !== null)(titled("nftables with real packets", fault), () => {
  const { server, attacker } = useServerAndAttacker();
  const container = useNamespace("container");
  let enforcer: NftablesEnforcer;
  let losses: string[];
  const listeners: Listener[] = [];
  const sockets: { close(): void }[] = [];

  /**
   *      attacker 192.0.2.66, .67, 2001:db8::66 ──── .1, ::1 server 198.51.100.1 ──── .2 container
   */
  beforeAll(async () => {
    join(
      { namespace: server, addresses: ["198.51.100.1/24"], link: "veth1" },
      { namespace: container, addresses: ["198.51.100.2/24"] },
    );
    server.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
    attacker.run("ip", "route", "add", "198.51.100.0/24", "via", "192.0.2.1");
    container.run("ip", "route", "add", "default", "via", "198.51.100.1");
    listeners.push(
      await Listener.open(server, 22),
      await Listener.open(server, 80),
      await Listener.open(container, 80),
    );
  });

  afterAll(() => {
    for (const listener of listeners) listener.close();
    for (const namespace of [server, attacker, container]) namespace?.remove();
  });

  beforeEach(async () => {
    listeners[0]!.received = "";
    await open();
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.close();
    await server.inside(() => enforcer.close({ flush: true }));
  });

  async function udp(...args: Parameters<typeof datagrams>) {
    const socket = await datagrams(...args);
    sockets.push(socket);
    return socket;
  }

  /** Reads sets through a socket of its own, which must be opened inside the namespace. */
  const list = () => server.inside(() => enforcer.list());
  const replace = (bans: readonly Enforcement[]) => server.inside(() => enforcer.replace(bans, Date.now()));

  async function open(
    targets: readonly PacketTarget[] = [DROP],
    options: NftablesOptions = {},
  ): Promise<void> {
    losses = [];
    await server.inside(async () => {
      await enforcer?.close({ flush: true });
      enforcer = new NftablesEnforcer(options);
      await enforcer.open(targets, (fact) => losses.push(fact));
    });
  }

  async function apply(...changes: readonly Enforcement[]): Promise<void> {
    expect(await enforcer.apply(changes, Date.now())).toEqual([]);
  }

  const V4 = ["192.0.2.1", "192.0.2.66"] as const;
  const V6 = ["2001:db8::1", "2001:db8::66"] as const;

  it.each([V4, V6])("drops packets to %s from %s until the ban expires", async (to, from) => {
    expect(await attempt(attacker, to, 22)).toBe("connected");
    const now = Date.now();
    await apply(ban(from, now + 1500));
    expect(await attempt(attacker, to, 22)).toBe("silence");
    await until("the ban has expired", async () => (await attempt(attacker, to, 22)) === "connected");
    expect(Date.now()).toBeGreaterThanOrEqual(now + 1500);
  });

  it.each([V4, V6])("accepts packets to %s from %s after the unban", async (to, from) => {
    await apply(ban(from, FOREVER));
    expect(await attempt(attacker, to, 22)).toBe("silence");
    await apply({ kind: "unban", prefix: prefix(from), target: "default" });
    expect(await attempt(attacker, to, 22)).toBe("connected");
  });

  it.each([V4, V6])(
    "drops packets of a connection to %s from %s that was open before the ban",
    async (to, from) => {
      const socket = await dial(attacker, to, 22);
      if (socket.connecting) await once(socket, "connect");
      socket.write("before");
      await until("the first word is there", () => listeners[0]!.received === "before");
      await apply(ban(from, Date.now() + HOUR));
      const dropped = counted();
      socket.write("after");
      await until("its packet was dropped", () => counted() > dropped);
      expect(listeners[0]!.received).toBe("before");
      // After the unban, TCP sends the data again.
      await apply({ kind: "unban", prefix: prefix(from), target: "default" });
      await until("the second word is there", () => listeners[0]!.received === "beforeafter");
      socket.destroy();
    },
  );

  it.each([
    ["192.0.2.64/26", "192.0.2.1"],
    ["2001:db8::/64", "2001:db8::1"],
    ["192.0.0.0/8", "192.0.2.1"],
    ["0.0.0.0/0", "192.0.2.1"],
    ["::/1", "2001:db8::1"],
  ])("drops a network, %s", async (network, to) => {
    await apply(ban(network, FOREVER));
    expect(await attempt(attacker, to, 22)).toBe("silence");
    await apply({ kind: "unban", prefix: prefix(network), target: "default" });
    expect(await attempt(attacker, to, 22)).toBe("connected");
  });

  it("reads back some bans of a larger set, with a warning", async () => {
    const warnings: string[] = [];
    await open([DROP], { warn: (sentence) => warnings.push(sentence) });
    const now = Date.now();
    await apply(
      ...Array.from({ length: 50 }, (_, i) => ban(`203.0.113.${i}`, now + HOUR)),
      ban("2001:db8::5", now + HOUR),
    );
    const some = await server.inside(() => enforcer.list(20));
    expect([some.length, warnings]).toEqual([
      21,
      [`Only 20 bans of the set ${DROP.name}_v4 are read back: the kernel would need too long for more`],
    ]);
    expect(await server.inside(() => enforcer.list(50))).toHaveLength(51);
    expect(warnings).toHaveLength(1);
  });

  it("does not drop packets for a ban of a neighbouring network", async () => {
    await apply(
      ban("192.0.2.128/25", FOREVER),
      ban("2001:db8:0:1::/64", FOREVER),
      ban("192.0.2.65", FOREVER),
    );
    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("connected");
    expect(await attempt(attacker, "2001:db8::1", 22)).toBe("connected");
  });

  it("keeps the outer network banned when the inner ban ends, and the inner one when the outer ends", async () => {
    await apply(ban("192.0.2.0/24", FOREVER), ban("192.0.2.64/26", Date.now() + 300));
    await until("the inner ban has expired", async () => (await list()).length === 1);
    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
    await apply(ban("192.0.2.64/26", FOREVER), {
      kind: "unban",
      prefix: prefix("192.0.2.0/24"),
      target: "default",
    });
    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
  });

  it("drops packets that are forwarded to a container", async () => {
    expect(await attempt(attacker, "198.51.100.2", 80)).toBe("connected");
    await apply(ban("192.0.2.66", FOREVER));
    expect(await attempt(attacker, "198.51.100.2", 80)).toBe("silence");
  });

  it("drops packets to the target's ports only", async () => {
    await open([{ ...DROP, ports: [{ first: 20, last: 22 }] }]);
    await apply(ban("192.0.2.66", FOREVER), ban("2001:db8::66", FOREVER));
    for (const host of ["192.0.2.1", "2001:db8::1"]) {
      expect(await attempt(attacker, host, 22)).toBe("silence");
      expect(await attempt(attacker, host, 80)).toBe("connected");
    }
  });

  it("rejects TCP with a reset and other packets with ICMP", async () => {
    await open([{ ...DROP, verdict: { kind: "reject" } }]);
    await apply(ban("192.0.2.66", FOREVER), ban("2001:db8::66", FOREVER));
    expect(await attempt(attacker, "192.0.2.1", 22, 2000)).toBe("ECONNREFUSED");
    expect(await attempt(attacker, "2001:db8::1", 22, 2000)).toBe("ECONNREFUSED");
    const socket = await udp(attacker);
    socket.connect(53, "192.0.2.1");
    await once(socket, "connect");
    const told = once(socket, "error");
    socket.send("x", () => {});
    expect(await told).toMatchObject([{ code: "EHOSTUNREACH" }]);
  });

  it("passes the burst of each throttled address and every packet of others", async () => {
    const slow = {
      ...DROP,
      name: "slow",
      verdict: { kind: "throttle", packets: 1, per: HOUR, burst: 3 },
    } as const;
    await open([
      { ...slow, ports: [{ first: 53, last: 53 }] },
      { ...DROP, name: "other" },
    ]);
    const receiver = await udp(server, { port: 53, address: "192.0.2.1" });
    const heard: string[] = [];
    receiver.on("message", (_, { address }) => heard.push(address));
    const throttled = await udp(attacker, { port: 0, address: "192.0.2.66" });
    const second = await udp(attacker, { port: 0, address: "192.0.2.67" });
    const send = async (socket: typeof throttled, times: number): Promise<void> => {
      for (let i = 0; i < times; i++) await new Promise((sent) => socket.send("x", 53, "192.0.2.1", sent));
    };
    await apply({ ...ban("192.0.2.66", FOREVER), target: "slow" });
    await send(throttled, 20);
    await send(second, 20);
    await until(
      "the last datagram is there",
      () => heard.filter((from) => from === "192.0.2.67").length === 20,
    );
    expect(heard.filter((from) => from === "192.0.2.66")).toHaveLength(3);
    // The next throttled address has its own bucket.
    heard.length = 0;
    await apply({ ...ban("192.0.2.67", FOREVER), target: "slow" });
    await send(second, 20);
    await send(throttled, 20);
    await until("packets beyond the rate were dropped", () => counted() >= 17 + 17 + 20);
    await until("the burst is there", () => heard.length >= 3);
    expect(heard).toEqual(["192.0.2.67", "192.0.2.67", "192.0.2.67"]);
  });

  it("goes on to the next target while a throttled address is within its rate", async () => {
    const slow = {
      ...DROP,
      name: "slow",
      verdict: { kind: "throttle", packets: 100, per: 1000, burst: 100 },
    } as const;
    await open([slow, DROP]);
    await apply({ ...ban("192.0.2.66", FOREVER), target: "slow" });
    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("connected");
    await apply(ban("192.0.2.66", FOREVER));
    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
  });

  it("replaces few or many bans without passing a packet", async () => {
    const socket = await udp(attacker, { port: 0, address: "192.0.2.66" });
    const receiver = await udp(server, { port: 53, address: "192.0.2.1" });
    let heard = 0;
    receiver.on("message", () => heard++);
    await apply(ban("192.0.2.66", FOREVER));
    for (const size of [10, 20_000, 10, 20_000, 0]) {
      const others = Array.from({ length: size }, (_, i) =>
        ban(`10.${size & 255}.${i >> 8}.${i & 255}`, FOREVER),
      );
      let replacing = true;
      const sending = (async () => {
        while (replacing) {
          await new Promise((sent) => socket.send("x", 53, "192.0.2.1", sent));
          // Sending never waits, so the event loop would not turn.
          await nextTurn();
        }
      })();
      expect(await replace([...others, ban("192.0.2.66", FOREVER)])).toEqual([]);
      replacing = false;
      await sending;
      expect(await list()).toHaveLength(size + 1);
    }
    expect(heard).toBe(0);
    expect(server.run("nft", "-t", "list", "table", "inet", "stoplog")).not.toContain("_spare");
  });

  it("cannot be flushed or changed by others, where the kernel has the owner flag", async (context) => {
    if (!server.run("nft", "list", "table", "inet", "stoplog").includes("owner")) context.skip();
    await apply(ban("192.0.2.66", FOREVER));
    server.run("nft", "flush", "ruleset");
    for (const command of ["delete table inet stoplog", "flush set inet stoplog default_v4"]) {
      expect(() => server.run("nft", ...command.split(" "))).toThrow("Operation not permitted");
    }
    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
    expect(losses).toEqual([]);
  });

  it.each([
    ["flush ruleset", "deleted"],
    ["delete table inet stoplog", "deleted"],
    ["flush set inet stoplog default_v4", "deleted elements of table inet stoplog"],
    ["delete element inet stoplog default_v4 { 192.0.2.66 }", "deleted elements of table inet stoplog"],
    ["flush chain inet stoplog prerouting", "deleted a rule of table inet stoplog"],
  ])("notices 'nft %s' by others once, and replace() restores the bans", async (command, told) => {
    await open([DROP], { owner: false });
    await apply(ban("192.0.2.66", FOREVER), ban("192.0.2.128/25", FOREVER));
    await replace([ban("192.0.2.66", FOREVER), ban("192.0.2.67", FOREVER)]);
    server.run("nft", "add", "table", "inet", "another");
    server.run("nft", "delete", "table", "inet", "another");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(losses).toEqual([]);

    server.run("nft", ...command.split(" "));
    await until("the loss is noticed", () => losses.length > 0);
    expect(losses[0]).toContain(`another program deleted`);
    expect(losses[0]).toContain(told);
    server.run("nft", "flush", "ruleset");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(losses).toHaveLength(1);

    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("connected");
    expect(await replace([ban("192.0.2.66", FOREVER)])).toEqual([]);
    expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
    server.run("nft", "flush", "ruleset");
    await until("the next loss is noticed", () => losses.length === 2);
  });

  it("refuses bans with a reason and reports the loss when the table is gone before the notice", async () => {
    await open([DROP], { owner: false });
    spawnSync("ip", ["netns", "exec", server.name, "nft", "flush", "ruleset"]);
    const refusals = await enforcer.apply(
      [ban("192.0.2.66", FOREVER), ban("192.0.2.0/25", FOREVER)],
      Date.now(),
    );
    expect(refusals.map(({ fact }) => fact).toSorted()).toEqual([
      "Cannot ban 192.0.2.0/25 at default: the table inet stoplog or a part of it is gone",
      "Cannot ban 192.0.2.66 at default: the set default_v4 of table stoplog is gone",
    ]);
    expect(losses).toHaveLength(1);
  });

  it("survives more notices than its buffer holds", async () => {
    await open([DROP], { owner: false });
    await apply(ban("192.0.2.66", FOREVER));
    // In one turn of the event loop, so that no notice is read meanwhile.
    const elements = (n: number) =>
      Array.from({ length: 30_000 }, (_, i) => `10.${n}.${i >> 8}.${i & 255}`).join(",");
    server.feed("add table inet another\nadd set inet another s { type ipv4_addr; }\n", "nft", "-f", "-");
    for (let n = 0; n < 4; n++)
      server.feed(`add element inet another s { ${elements(n)} }\n`, "nft", "-f", "-");
    await until("the loss of notices is told", () => losses.length > 0);
    expect(losses).toEqual(["so much changed in the firewall that notices were lost"]);
    expect(await replace([ban("192.0.2.66", FOREVER)])).toEqual([]);
    server.run("nft", "delete", "table", "inet", "stoplog");
    await until("it hears again", () => losses.length === 2);
    expect(losses[1]).toContain("another program deleted");
    server.run("nft", "delete", "table", "inet", "another");
  });

  describe("beside another process", () => {
    let other: ChildProcess;
    afterEach(() => {
      other?.kill("SIGKILL");
    });

    /** Starts hold-bans.ts inside the server and returns its first line. */
    async function start(before: readonly string[] = []): Promise<string> {
      const program = new URL("../support/hold-bans.ts", import.meta.url).pathname;
      const runner = new URL("../../scripts/run-ts.mjs", import.meta.url).pathname;
      const [command, ...args] = [
        ...before,
        process.execPath,
        runner,
        program,
        "192.0.2.66",
        "192.0.2.64/26",
      ];
      other = server.spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
      const [said] = (await once(other.stdout!, "data")) as [Buffer];
      return said.toString().trim();
    }

    it("takes over the table and the bans of a killed process", async () => {
      await server.inside(() => enforcer.close({ flush: true }));
      expect(await start()).toBe("holding");
      expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
      const rival = new NftablesEnforcer();
      await server.inside(async () => {
        await expect(rival.open([DROP], () => {})).rejects.toThrow(
          "Cannot use nftables: another program owns the table inet stoplog",
        );
      });
      other.kill("SIGKILL");
      await once(other, "exit");
      expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
      await server.inside(async () => {
        enforcer = new NftablesEnforcer();
        await until("the table is free", () =>
          enforcer
            .open([DROP], () => {})
            .then(
              () => true,
              () => false,
            ),
        );
        expect(await enforcer.list()).toHaveLength(2);
      });
      expect(await attempt(attacker, "192.0.2.1", 22)).toBe("silence");
      await apply(
        ...["192.0.2.66", "192.0.2.64/26"].map((text): Enforcement => ({
          kind: "unban",
          prefix: prefix(text),
          target: "default",
        })),
      );
      expect(await attempt(attacker, "192.0.2.1", 22)).toBe("connected");
    });

    it.skipIf(!hasProgram("setpriv"))("reports that the capability is missing", async () => {
      expect(await start(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"])).toBe(
        "Cannot use nftables: CAP_NET_ADMIN is missing",
      );
    });
  });

  /** Packets dropped by the last rules of all verdicts. */
  function counted(): number {
    const table = server.run("nft", "-t", "list", "table", "inet", "stoplog");
    return [...table.matchAll(/counter packets (\d+) bytes \d+ drop/g)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  }
});

const DROP: PacketTarget = {
  name: "default",
  enforcer: "nftables",
  verdict: { kind: "drop" },
  ports: [],
  protocols: [],
};

function ban(text: string, end: Instant): Extract<Enforcement, { kind: "ban" }> {
  return { kind: "ban", prefix: prefix(text), target: "default", until: end };
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
}
