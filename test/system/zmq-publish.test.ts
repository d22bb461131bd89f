import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { newCurveKeys } from "../../src/bus/zmq/curve-keys.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { RawSubscriber } from "../support/raw-zmtp.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { peerFault, ZmqPeer } from "../support/zmq-peer.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  peerFault() ??
  (hasProgram("nft") ? null : "needs nft, to look at the kernel from outside");

const OUT = "tcp://127.0.0.1:22621";
const HUB = "tcp://127.0.0.1:22622";
const IN = "tcp://127.0.0.1:22630";

interface Told {
  readonly seq: number;
  readonly epoch: number;
  readonly kind: string;
  readonly address: string;
  readonly by?: string;
}

describe.skipIf(fault !== null)(titled("publishing over ØMQ, and keys", fault), () => {
  const server = useNamespace("zmqout");
  let home: Home;
  let daemon: RunningDaemon | null = null;
  const peers: ZmqPeer[] = [];

  beforeEach(() => {
    home = new Home();
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.end();
    await daemon?.end();
    daemon = null;
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const run = async (config: string): Promise<RunningDaemon> => {
    home.configure(`state: false\n${config}`);
    daemon = await RunningDaemon.start(home, server);
    return daemon;
  };
  const start = async (options: Parameters<typeof ZmqPeer.start>[1]): Promise<ZmqPeer> => {
    const peer = await ZmqPeer.start(server, options);
    peers.push(peer);
    return peer;
  };
  /** Bans one address after another until a subscriber received one: new subscribers miss earlier messages. */
  const heard = async (running: RunningDaemon, by: () => boolean): Promise<void> => {
    let i = 0;
    await until("a subscriber received a ban", () => {
      if (!by()) running.command("ban", `192.0.2.${++i}`);
      return by();
    });
  };

  it("publishes Swabber's exact bytes, and all changes in its own topic", async () => {
    const running = await run(`
publish:
  edges: { type: zmq, bind: "${OUT}", connect: "${HUB}", swabber: true }
sources:
  in: { type: zmq, bind: "${IN}" }
`);
    const swabber = await start({ kind: "sub", connect: [OUT], topics: ["swabber_bans"] });
    const hub = await start({ kind: "sub", bind: [HUB], topics: ["stoplog_bans"] });
    const raw = await RawSubscriber.connect(server, 22_621);
    const detector = await start({ kind: "pub", connect: [IN] });
    try {
      await heard(
        running,
        () => swabber.messages.length > 0 && hub.messages.length > 0 && raw.received.length > 91,
      );
      const before = swabber.messages.length;
      raw.received = Buffer.alloc(0);
      running.command("ban", "203.0.113.7", "--for", "1h");
      running.command("ban", "203.0.113.7", "--for", "2h");
      running.command("ban", "203.0.113.0/28", "2001:db8::7");
      running.command("unban", "203.0.113.7");
      // Orders that came in over ØMQ are not published.
      detector.send("swabber_bans", "203.0.113.99");
      await until("the order arrived", () => {
        detector.send("swabber_bans", "203.0.113.99");
        return running.banned().includes("203.0.113.99");
      });
      running.command("ban", "203.0.113.8");
      await until("the last message arrived", () => swabber.texts("swabber_bans").includes("203.0.113.8"));
      expect(swabber.texts("swabber_bans").slice(before)).toEqual([
        "203.0.113.7",
        "203.0.113.7",
        "203.0.113.8",
      ]);
      const ban = "010c737761626265725f62616e73000b3230332e302e3131332e";
      await until("the bytes arrived", () => raw.received.length >= 81);
      expect(raw.received.toString("hex")).toBe(`${ban}37${ban}37${ban}38`);
      await until(
        "our message arrived",
        () => hub.texts("stoplog_bans").at(-1)?.includes("203.0.113.8") === true,
      );
      const changes = hub.texts("stoplog_bans").map((text) => JSON.parse(text) as Told);
      const told = changes.filter(({ address }) => !address.startsWith("192.0.2."));
      expect(told.map(({ kind, address, by }) => `${kind} ${address} ${by ?? ""}`.trim())).toEqual([
        "ban 203.0.113.7",
        "prolong 203.0.113.7",
        "ban 203.0.113.0/28",
        "ban 2001:db8::7",
        "lift 203.0.113.7 operator",
        "ban 203.0.113.8",
      ]);
      expect(told[0]).toMatchObject({ target: "default", jail: "", reason: "by hand", origin: "operator" });
      const numbers = told.map(({ seq }) => seq);
      // Changes for other targets leave no gap in the numbers.
      expect(numbers.map((seq) => seq - (numbers[0] ?? 0))).toEqual([0, 1, 2, 3, 4, 5]);
      expect(new Set(changes.map(({ epoch }) => epoch)).size).toBe(1);
      expect(running.status().publishers).toMatchObject([
        { name: "edges", kind: "zmq", unsayable: 3, missed: 0, resyncs: 0, turnedAway: 0 },
      ]);
    } finally {
      raw.close();
    }
  });

  it("talks to peers with the right keys only", async () => {
    const [other, wrong] = [newCurveKeys(), newCurveKeys()];
    const running = await run(`
publish:
  edges: { type: zmq, bind: "${OUT}", swabber: true, curve: { secret_key: HOME/edge.key, clients: ["${other.publicKey}"] } }
  hub: { type: zmq, connect: "${HUB}", swabber: true, curve: { secret_key: HOME/edge.key, server_key: "${other.publicKey}" } }
sources:
  in: { type: zmq, bind: "${IN}", curve: { secret_key: HOME/edge.key, clients: ["${other.publicKey}"] } }
`);
    // The keys are made after the start: the endpoints that need them try again.
    const fact = `Cannot publish to edges: Cannot read the key ${home.file("edge.key")}: no such file or directory`;
    await until("the reason is logged", () => running.log.includes(fact));
    const made = JSON.parse(running.command("keygen", "-o", home.file("edge"), "--json").output) as {
      publicKey: string;
    };
    expect(statSync(home.file("edge.key")).mode & 0o777).toBe(0o600);
    expect(running.command("keygen", "-o", home.file("edge")).error).toBe(
      `Cannot write ${home.file("edge.key")}: it exists already\n`,
    );
    await daemon?.end();
    daemon = await RunningDaemon.start(home, server);
    const edge = { serverKey: made.publicKey };
    const friend = await start({ kind: "sub", connect: [OUT], topics: [""], curve: { ...other, ...edge } });
    const hub = await start({ kind: "sub", bind: [HUB], topics: [""], curve: other });
    const stranger = await start({ kind: "sub", connect: [OUT], topics: [""], curve: { ...wrong, ...edge } });
    const keyless = await start({ kind: "sub", connect: [OUT], topics: [""] });
    const still = daemon;
    await heard(still, () => friend.messages.length > 0 && hub.messages.length > 0);
    const detector = await start({ kind: "pub", connect: [IN], curve: { ...other, ...edge } });
    const forger = await start({ kind: "pub", connect: [IN], curve: { ...wrong, ...edge } });
    const naked = await start({ kind: "pub", connect: [IN] });
    await until("the order with the right key is carried out", () => {
      forger.send("swabber_bans", "203.0.113.66");
      naked.send("swabber_bans", "203.0.113.67");
      detector.send("swabber_bans", "203.0.113.7");
      return still.banned().includes("203.0.113.7");
    });
    await until(
      "the others were noticed",
      () =>
        (still.status().publishers[0]?.turnedAway ?? 0) > 1 &&
        (still.status().sources[0]?.turnedAway ?? 0) > 1,
    );
    expect([stranger.messages, keyless.messages]).toEqual([[], []]);
    expect(still.banned().filter((address) => address.startsWith("203.0.113.6"))).toEqual([]);
    await until("the reason is logged", () => still.log.includes("its key is not permitted"));
  });

  it("warns of network endpoints without keys and refuses keys that do not fit together", async () => {
    home.configure(`
sources: { in: { type: zmq, connect: "tcp://192.0.2.1:22620", topic: swabber_bans } }
publish: { out: { type: zmq, bind: "tcp://*:22621" } }
`);
    const check = () => {
      const done = spawnSync(join(packageRoot(), "bin/stoplog"), ["check", "-c", home.file("stoplog.yaml")], {
        encoding: "utf8",
      });
      return { status: done.status, output: done.stdout + done.stderr };
    };
    expect(check()).toMatchObject({ status: 0 });
    expect(check().output).toContain(
      "source in uses tcp://192.0.2.1:22620 without curve: anyone on the path can read and forge it",
    );
    expect(check().output).toContain("publisher out uses tcp://*:22621 without curve");
    home.configure(`
sources:
  a: { type: zmq, topic: x }
  b: { type: zmq, connect: "tcp://a:1", curve: { secret_key: /x, clients: [/y] } }
  c: { type: zmq, bind: "udp://a:1" }
`);
    const { status, output } = check();
    expect(status).toBe(2);
    for (const fact of [
      "it needs connect or bind",
      "curve.server_key is missing: connect needs it",
      "curve.clients needs bind",
      "bind cannot be used: it must be tcp://HOST:PORT or ipc:///PATH",
    ])
      expect(output).toContain(fact);
  });
});
