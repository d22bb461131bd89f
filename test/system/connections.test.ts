import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTo, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { track, type TrackedConnection } from "../../bench/corpora/conntrack-table.ts";
import { type Address, address, isV4, parseAddress, V4_MARK } from "../../src/core/address.ts";
import { hostPrefix, parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { ConnectionCutter } from "../../src/enforce/connections/cutter.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, type Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { attempt, datagrams, dial, Listener } from "../support/packets.ts";
import { until } from "../support/waiting.ts";

const missing = ["nft", "conntrack", "ss"].find((program) => !hasProgram(program));
const fault = namespaceFault() ?? (missing === undefined ? null : `needs the ${missing} program`);

describe.skipIf(fault !== null)(titled("cutting live connections", fault), () => {
  const { server, attacker } = useServerAndAttacker(
    ["192.0.2.1/24", "2001:db8::1/64"],
    ["192.0.2.66/24", "192.0.2.67/24", "192.0.2.130/24", "2001:db8::66/64", "2001:db8::67/64"],
  );
  let cutter: ConnectionCutter;
  let warnings: string[];
  const atEnd: (() => void)[] = [];

  /**
   *      attacker 192.0.2.66, .67, .130, 2001:db8::66, ::67 ──── .1, ::1 server, which tracks connections
   */
  beforeAll(() => {
    server.feed(
      "table inet t { chain c { type filter hook input priority 0; ct state established accept; }; }",
      "nft",
      "-f",
      "-",
    );
  });

  afterAll(() => {
    for (const namespace of [server, attacker]) namespace?.remove();
  });

  beforeEach(() => {
    warnings = [];
    cutter = new ConnectionCutter({ warn: (sentence) => warnings.push(sentence), now: Date.now });
  });

  afterEach(async () => {
    cutter.close();
    for (const end of atEnd.splice(0)) end();
    // Conntrack would make a new entry for late packets of a connection.
    await until("all connections have ended", () => open(server) + open(attacker) === 0);
    server.run("conntrack", "-F");
    expect(warnings).toEqual([]);
  });

  /** A netlink socket belongs to the namespace in which it is opened, which happens in the first pass. */
  const cut = (...prefixes: readonly Prefix[]): Promise<void> =>
    server.inside(async () => {
      for (const each of prefixes) cutter.cut(each);
      await cutter.finished();
    });

  /** Entries whose first packet came from this address. */
  const entriesFrom = (source: string): number => {
    const family = source.includes(":") ? "ipv6" : "ipv4";
    return server.run("conntrack", "-L", "-f", family, "-s", source).split("\n").filter(Boolean).length;
  };

  const open = (namespace: Namespace): number =>
    namespace.run("ss", "-Htan", "exclude", "listening", "exclude", "time-wait").split("\n").filter(Boolean)
      .length;

  const entries = (): number => Number(server.run("sysctl", "-n", "net.netfilter.nf_conntrack_count"));

  async function echo(namespace: Namespace, listenOn: string): Promise<Echo> {
    const opened = await Echo.open(namespace, listenOn);
    atEnd.push(() => opened.close());
    return opened;
  }

  /** Connects from an address and waits for the first echo. */
  async function connected(from: string, to: string): Promise<Live> {
    const socket = await attacker.inside(async () => {
      const made = connectTo({ host: to, port: PORT, localAddress: from });
      await nextTurn();
      return made;
    });
    atEnd.push(() => socket.destroy());
    const live = new Live(socket);
    await live.speak("hello");
    return live;
  }

  it.each([
    { listenOn: "0.0.0.0", to: "192.0.2.1", banned: "192.0.2.66", other: "192.0.2.67" },
    { listenOn: "::", to: "192.0.2.1", banned: "192.0.2.66", other: "192.0.2.67" },
    { listenOn: "::", to: "2001:db8::1", banned: "2001:db8::66", other: "2001:db8::67" },
    { listenOn: "0.0.0.0", to: "192.0.2.1", banned: "192.0.2.64/26", other: "192.0.2.130" },
    { listenOn: "::", to: "2001:db8::1", banned: "2001:db8::66/128", other: "2001:db8::67" },
    { listenOn: "::", to: "2001:db8::1", banned: "2001:db8::66/127", other: "2001:db8::68" },
  ])(
    "cuts connections of $banned to $listenOn and keeps those of $other",
    async ({ listenOn, to, banned, other }) => {
      if (other === "2001:db8::68") {
        attacker.run("ip", "address", "add", "2001:db8::68/64", "dev", "veth0", "nodad");
      }
      const service = await echo(server, listenOn);
      const from = banned.replace(/\/\d+$/, "").replace(/\.64$/, ".66");
      const bad = await connected(from, to);
      const good = await connected(other, to);
      expect([entriesFrom(from), entriesFrom(other)]).toEqual([1, 1]);

      await cut(prefix(banned));

      await until("both ends know", () => bad.error !== null && service.errorOf(from) !== null);
      expect([bad.error, service.errorOf(from)]).toEqual(["ECONNRESET", "ECONNABORTED"]);
      expect([entriesFrom(from), entriesFrom(other)]).toEqual([0, 1]);
      expect(cutter.stats).toMatchObject({ state: "ready", passes: 1, entries: 1, sockets: 1, refused: 0 });
      await good.speak("still here");
      expect([good.error, service.errorOf(other)]).toEqual([null, null]);
    },
  );

  it.each(["192.0.2.66", "2001:db8::66"])("keeps a connection that this host opened to %s", async (to) => {
    await echo(attacker, "::");
    const service = await echo(server, "::");
    const socket = await dial(server, to, PORT);
    const live = new Live(socket);
    atEnd.push(() => socket.destroy());
    await live.speak("hello");
    const bad = await connected(to, to.includes(":") ? "2001:db8::1" : "192.0.2.1");
    expect(entries()).toBe(2);
    await cut(prefix(to));
    await until("the other one is cut", () => bad.error !== null && service.errorOf(to) !== null);
    await live.speak("still here");
    expect([live.error, entries()]).toEqual([null, 1]);
    expect(cutter.stats).toMatchObject({ entries: 1, sockets: 1 });
  });

  it("ends half-open connections, as in a SYN flood", async () => {
    await echo(server, "0.0.0.0");
    attacker.feed(
      "table inet t { chain c { type filter hook input priority 0; tcp flags & (syn|ack) == (syn|ack) drop; }; }",
      "nft",
      "-f",
      "-",
    );
    atEnd.push(() => attacker.run("nft", "delete", "table", "inet", "t"));
    const halfOpen = (): number =>
      server.run("ss", "-Htan", "state", "syn-recv").split("\n").filter(Boolean).length;
    expect(await attempt(attacker, "192.0.2.1", PORT, 100)).toBe("silence");
    await until("it is half open", () => halfOpen() === 1);
    await cut(prefix("192.0.2.0/24"));
    expect(halfOpen()).toBe(0);
  });

  it("ends a UDP socket that is connected to a banned address and keeps an unconnected one", async () => {
    const heard = await datagrams(server, { port: 5300, address: "192.0.2.1" });
    const bound = await datagrams(server, { port: 5302, address: "192.0.2.1" });
    atEnd.push(
      () => heard.close(),
      () => bound.close(),
    );
    const sender = await datagrams(attacker, { port: 5301, address: "192.0.2.66" });
    atEnd.push(() => sender.close());
    sender.send("x", 5300, "192.0.2.1");
    await once(heard, "message");
    bound.connect(5301, "192.0.2.66");
    await once(bound, "connect");
    let error: string | undefined;
    bound.on("error", (thrown: NodeJS.ErrnoException) => (error = thrown.code));
    const sockets = (): string => server.run("ss", "-Huan");
    expect(sockets()).toContain("192.0.2.66:5301");
    await cut(prefix("192.0.2.66"));
    await until("its owner knows", () => error !== undefined);
    expect([cutter.stats.sockets, error]).toEqual([1, "ECONNABORTED"]);
    expect(sockets()).not.toContain("192.0.2.66:5301");
    expect(sockets()).toContain("192.0.2.1:5300");
    sender.send("y", 5300, "192.0.2.1");
    const [message] = (await once(heard, "message")) as [Buffer];
    expect(message.toString()).toBe("y");
  });

  it("keeps listening sockets, even when every address is banned", async () => {
    const listener = await Listener.open(server, 2222);
    atEnd.push(() => listener.close());
    await cut(prefix("0.0.0.0/0"), prefix("::/0"));
    expect(await attempt(attacker, "192.0.2.1", 2222)).toBe("connected");
  });

  /** The kernel itself finds the entries of a few IPv4 addresses; for more, and for IPv6, all entries are listed. */
  describe.each([
    ["an IPv4 address", "198.51.100.66", null],
    ["addresses", "198.51.100.66", "2001:db8:6::66"],
    ["networks", "198.51.100.64/30", "2001:db8:6::64/126"],
  ])("tracked connections of %s", (_, v4, v6) => {
    const us = at("203.0.113.1");
    const inner = at("10.0.0.5");
    const someone = at("203.0.113.200");
    const plain = { destination: us, sourcePort: 1000, destinationPort: 80 };

    it.each([
      ["the source is banned", 1, { ...plain, source: at("198.51.100.66") }],
      [
        "the source is banned and we pass it on",
        1,
        { ...plain, source: at("198.51.100.66"), answersFrom: inner },
      ],
      ["the source is banned and hidden", 1, { ...plain, source: at("198.51.100.66"), answersTo: inner }],
      ["it goes to the banned", 0, { ...plain, source: us, destination: at("198.51.100.66") }],
      ["it is passed on to the banned", 0, { ...plain, source: someone, answersFrom: at("198.51.100.66") }],
      ["it lies in a zone", 1, { ...plain, source: at("198.51.100.66"), zone: 7 }],
      [
        "only the first destination looks banned, since it is one of ours",
        0,
        { ...plain, source: someone, destination: at("198.51.100.66"), answersFrom: inner },
      ],
      [
        "only the hidden source looks banned, since it is one of ours",
        0,
        { ...plain, source: inner, answersTo: at("198.51.100.66") },
      ],
      ["no address is banned", 0, { ...plain, source: at("198.51.100.68") }],
      [
        "the source is banned, with IPv6",
        1,
        { ...plain, source: at("2001:db8:6::66"), destination: at("2001:db8::1") },
      ],
      [
        "no address is banned, with IPv6",
        0,
        { ...plain, source: at("2001:db8:6::68"), destination: at("2001:db8::1") },
      ],
    ] as const)("when %s, %i goes", async (_case, banned, connection: TrackedConnection) => {
      const gone = v6 === null && !isV4(connection.source) ? 0 : banned;
      await server.inside(() => track([connection]));
      expect(entries()).toBe(1);
      await cut(prefix(v4), ...(v6 === null ? [] : [prefix(v6)]));
      expect(entries()).toBe(1 - gone);
      expect(cutter.stats.entries).toBe(gone);
    });
  });

  it("finds 100,000 entries of 1,000 addresses in one pass", async () => {
    const banned = Array.from({ length: 1000 }, (_, i) => address(0, 0, V4_MARK, 0x0a01_0000 + i));
    await server.inside(() => track(spread(banned, 100_000, 5000)));
    expect(entries()).toBe(105_000);
    await cut(...banned.map(hostPrefix));
    expect(entries()).toBe(5000);
    expect(cutter.stats).toMatchObject({ passes: 1, entries: 100_000, refused: 0, dropped: 0 });
  }, 60_000);

  it("stops a pass when it is closed", async () => {
    await server.inside(() => track(spread([at("198.51.100.66")], 20_000, 0)));
    await server.inside(async () => {
      cutter.cut(prefix("198.51.100.0/24"));
      // The thread's namespace decides which sockets are opened and what this file shows.
      const left = (): string => readFileSync("/proc/sys/net/netfilter/nf_conntrack_count", "utf8");
      while (left() === "20000\n") await nextTurn();
      cutter.close();
      await cutter.finished();
    });
    expect(cutter.stats.passes).toBe(0);
    expect(entries()).toBeGreaterThan(0);
  });
});

const PORT = 7007;

const prefix = (text: string): Prefix => parsePrefix(text)!;
const at = (text: string): Address => parseAddress(text)!;

function* spread(banned: readonly Address[], count: number, others: number): Generator<TrackedConnection> {
  const to = { destination: address(0, 0, V4_MARK, 0x0a00_0001), destinationPort: 443 };
  for (let i = 0; i < count; i++)
    yield { ...to, source: banned[i % banned.length]!, sourcePort: 1024 + Math.floor(i / banned.length) };
  for (let i = 0; i < others; i++)
    yield { ...to, source: address(0, 0, V4_MARK, 0x0a02_0000 + i), sourcePort: 1024 };
}

/** An echo server that records how each connection ended. */
class Echo {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #errors = new Map<string, string>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      const from = (socket.remoteAddress ?? "").replace("::ffff:", "");
      this.#sockets.add(socket);
      socket.on("data", (bytes) => socket.write(bytes));
      socket.on("error", (error: NodeJS.ErrnoException) => this.#errors.set(from, error.code ?? "error"));
    });
  }

  static async open(namespace: Namespace, address: string): Promise<Echo> {
    const server = createServer();
    await namespace.inside(async () => {
      server.listen(PORT, address);
      await once(server, "listening");
    });
    return new Echo(server);
  }

  errorOf(from: string): string | null {
    return this.#errors.get(from) ?? null;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** The client's end of a connection to an Echo. */
class Live {
  error: string | null = null;
  readonly #socket: Socket;
  #heard = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => (this.#heard += bytes.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => (this.error = error.code ?? "error"));
  }

  async speak(word: string): Promise<void> {
    this.#socket.write(word);
    await until(`${word} comes back`, () => this.#heard.endsWith(word));
  }
}
