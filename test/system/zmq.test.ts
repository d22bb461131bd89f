import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { RawPublisher, type Zmtp } from "../support/raw-zmtp.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { peerFault, ZmqPeer } from "../support/zmq-peer.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  peerFault() ??
  (hasProgram("nft") ? null : "needs nft, to look at the kernel from outside");

const CONNECTED = "tcp://127.0.0.1:22620";
const BOUND = "tcp://127.0.0.1:22630";
const RAW = 22640;
const CONFIG = `
sources:
  swabber: { type: zmq, connect: ["${CONNECTED}", "tcp://127.0.0.1:${RAW}"], bind: "${BOUND}", bantime: 5h }
origins:
  swabber: { may: [ban, unban, allow] }
ignoreip: [198.51.100.0/24]
state: HOME/state
`;

describe.skipIf(fault !== null)(titled("orders over ØMQ", fault), () => {
  const server = useNamespace("zmq");
  let home: Home;
  let daemon: RunningDaemon;
  const peers: { end(): Promise<void> }[] = [];

  beforeEach(async () => {
    home = new Home();
    home.configure(CONFIG);
    daemon = await RunningDaemon.start(home, server);
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.end();
    await daemon.end();
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const start = async (options: Parameters<typeof ZmqPeer.start>[1]): Promise<ZmqPeer> => {
    const peer = await ZmqPeer.start(server, options);
    peers.push(peer);
    return peer;
  };
  const origin = () => daemon.status().origins.find(({ name }) => name === "swabber");
  const source = () => daemon.status().sources[0];
  const connected = (endpoint: string) =>
    until(
      `connected to ${endpoint}`,
      () => source()?.state.includes(`connected to ${endpoint}`) === true,
      () => source()?.state ?? "",
    );
  const says = (sentence: string) =>
    until(
      `it says: ${sentence}`,
      () => daemon.log.includes(sentence),
      () => daemon.log,
    );
  /** Publishers drop messages without a subscriber: send again until one arrives. */
  const arrives = (send: () => void, address: string) =>
    until(
      `${address} is banned`,
      () => {
        send();
        return daemon.banned().includes(address);
      },
      () => daemon.log + JSON.stringify(source()),
    );

  it("come from Swabber's publishers, binding or connecting", async () => {
    const binding = await start({ kind: "pub", bind: [CONNECTED] });
    const connecting = await start({ kind: "pub", connect: [BOUND] });
    await arrives(() => binding.send("swabber_bans", "203.0.113.7"), "203.0.113.7");
    await arrives(() => connecting.send("swabber_bans", " 203.0.113.8\n"), "203.0.113.8");
    connecting.send("swabber_bans", "2001:db8::7");
    connecting.send("swabber_bans", "203.0.113.128/25");
    await until("all four orders arrived", () => daemon.banned().length === 4);
    await until("the kernel has the bans", () => {
      const rules = daemon.ruleset();
      return ["203.0.113.7", "203.0.113.8", "2001:db8::7", "203.0.113.128"].every((address) =>
        rules.includes(address),
      );
    });
    const [ban] = daemon.bans();
    expect(ban).toMatchObject({ origin: "swabber", target: "default", reason: "ordered by swabber" });
    expect((Date.parse(ban?.until ?? "") - Date.now()) / 3_600_000).toBeGreaterThan(4.9);
    expect(source()?.state).toBe(
      `connected to ${CONNECTED}; waits for tcp://127.0.0.1:${RAW}; listens on ${BOUND} (1 connected)`,
    );
    await says(`Source swabber is connected to ${CONNECTED}`);
  });

  it.each<[Zmtp, string]>([
    // ZMTP 1.0 has no subscriptions; later versions send 01 and the topic.
    ["1.0", "ff00000000000000017f"],
    ["2.0", "ff00000000000000017f"],
    ["3.0", "04190552454144590b536f636b65742d5479706500000003535542"],
  ])("come from publishers of ZMTP %s", async (zmtp, said) => {
    const publisher = await RawPublisher.listen(server, RAW, zmtp);
    try {
      await publisher.greet();
      const subscription = "000d01737761626265725f62616e73";
      if (zmtp !== "1.0")
        await until(
          "it has subscribed",
          () => publisher.received.includes(Buffer.from(subscription, "hex")),
          () => publisher.received.toString("hex"),
        );
      expect(publisher.received.toString("hex")).toContain(said);
      await arrives(() => publisher.send("swabber_bans", "203.0.113.7"), "203.0.113.7");
      await until("the kernel has the ban", () => daemon.ruleset().includes("203.0.113.7"));
    } finally {
      publisher.close();
    }
  });

  it("come several in a message: ban, unban, allow", async () => {
    const peer = await start({ kind: "pub", connect: [BOUND] });
    const first = { address: "192.0.2.1", duration: "1h", reason: "scored 0.98", id: 1 };
    await arrives(() => peer.send("stoplog_orders", JSON.stringify(first)), "192.0.2.1");
    const orders = [
      { order: "unban", address: "192.0.2.1" },
      { order: "allow", address: "192.0.2.9", duration: "10m" },
      { address: "192.0.2.9" },
      { address: "192.0.2.10" },
    ];
    peer.send("stoplog_orders", orders.map((one) => JSON.stringify(one)).join("\n"));
    await until("all orders arrived", () => daemon.banned().join() === "192.0.2.10");
    expect(origin()).toMatchObject({ refused: 1, unreadable: 0 });
  });

  it("survive any bytes, and ban no address that was not ordered [limit: busBytes]", async () => {
    const peer = await start({ kind: "pub", bind: [CONNECTED] });
    await arrives(() => peer.send("swabber_bans", "203.0.113.7"), "203.0.113.7");
    const before = origin()?.unreadable ?? 0;
    const hostile: (string | Uint8Array)[][] = [
      ["swabber_bans"],
      ["swabber_bans", "203.0.113.20", "203.0.113.21"],
      ["swabber_bans", ""],
      ["swabber_bans", Uint8Array.from({ length: 255 }, (_, i) => 255 - i)],
      ["swabber_bans", "999.1.1.1"],
      ["swabber_bans", "203.0.113.22\n203.0.113.23"],
      ["swabber_bans", `203.0.113.24${" ".repeat(200)}`],
      ["swabber_bans_of_others", "203.0.113.25"],
      ["stoplog_orders", ""],
      ["stoplog_orders", "203.0.113.26"],
      ["stoplog_orders", '{"address":"203.0.113.27","order":"kill"}'],
      ["stoplog_orders", "{}\n[]\nnull\n{"],
    ];
    const faults = hostile.length + 3;
    for (const frames of hostile) peer.send(...frames);
    for (let i = 0; i < 1000; i++) peer.send(`topic_${i}`, "203.0.113.28");
    peer.send("swabber_bans", "198.51.100.7");
    await until(
      "all was counted",
      () => (origin()?.unreadable ?? 0) - before === faults && (origin()?.refused ?? 0) === 1,
      () => JSON.stringify(origin()),
    );
    // A frame that is too long ends the connection, which is opened again at once.
    peer.send("swabber_bans", "x".repeat(1 << 20));
    await until(
      "it was turned away",
      () => daemon.log.includes(`lost the connection to ${CONNECTED}`),
      () => daemon.log,
    );
    await connected(CONNECTED);
    await arrives(() => peer.send("swabber_bans", "203.0.113.8"), "203.0.113.8");
    expect(daemon.banned().toSorted()).toEqual(["203.0.113.7", "203.0.113.8"]);
    expect(daemon.status().warnings.join("\n")).toContain("Cannot ban 198.51.100.7 for swabber");
  });

  it("arrive again after either side was away", async () => {
    const first = await start({ kind: "pub", bind: [CONNECTED] });
    await arrives(() => first.send("swabber_bans", "203.0.113.7"), "203.0.113.7");
    await first.end();
    await until("the loss is noticed", () => source()?.state.includes(`waits for ${CONNECTED}`) === true);
    await says(`Source swabber lost the connection to ${CONNECTED} and reconnects`);
    const second = await start({ kind: "pub", bind: [CONNECTED] });
    await arrives(() => second.send("swabber_bans", "203.0.113.8"), "203.0.113.8");
    await until("the ban is saved", () =>
      readFileSync(home.file("state/bans.jsonl"), "latin1").includes("203.0.113.8"),
    );
    await daemon.end("SIGKILL");
    daemon = await RunningDaemon.start(home, server);
    await arrives(() => second.send("swabber_bans", "203.0.113.9"), "203.0.113.9");
    expect(daemon.banned().toSorted()).toEqual(["203.0.113.7", "203.0.113.8", "203.0.113.9"]);
  });

  it("make publishers wait when the queue is full [limit: busMessages]", async () => {
    const peer = await start({ kind: "pub", connect: [BOUND] });
    await arrives(() => peer.send("swabber_bans", "203.0.113.7"), "203.0.113.7");
    for (let i = 0; i < 20_000; i++) peer.send("swabber_bans", `10.0.${i >> 8}.${i & 255}`);
    await until(
      "all are banned",
      () => daemon.status().book.bans === 20_001,
      () => JSON.stringify(origin()),
    );
  });

  it("load ØMQ only when it is configured", async () => {
    const maps = () => readFileSync(`/proc/${daemon.pid}/maps`, "utf8");
    expect(maps()).toContain("zeromq");
    await daemon.end();
    home.configure("state: HOME/state\n");
    daemon = await RunningDaemon.start(home, server);
    expect(maps()).not.toContain("zeromq");
  });
});

describe("without the package zeromq", () => {
  it("reports it in one line and keeps running", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stoplog-alone-"));
    try {
      for (const part of ["bin", "dist", "package.json", "filters"])
        cpSync(join(packageRoot(), part), join(folder, part), { recursive: true });
      writeFileSync(
        join(folder, "c.yaml"),
        `
sources: { in: { type: zmq, bind: "ipc://${folder}/in" } }
publish: { out: { type: zmq, bind: "ipc://${folder}/out" } }
targets: { default: { enforcer: dry-run } }
state: false
`,
      );
      const daemon = spawn(join(folder, "bin/stoplog"), [
        "run",
        "-c",
        join(folder, "c.yaml"),
        "--socket",
        join(folder, "s"),
      ]);
      let log = "";
      daemon.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
      const sentence = "Cannot use ØMQ: the package zeromq is not installed";
      try {
        await until(
          "the reason is logged",
          () =>
            log.includes(`Source in failed, retrying: ${sentence}`) &&
            log.includes(`Cannot publish to out: ${sentence}`) &&
            log.includes(" watches "),
          () => log,
        );
      } finally {
        daemon.kill();
        await once(daemon, "close");
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
