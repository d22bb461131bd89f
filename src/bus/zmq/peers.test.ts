import { describe, expect, it } from "vitest";
import { Peers } from "./peers.ts";

describe("peers", () => {
  it("are logged as they connect and disconnect, each kind of event once in a while", () => {
    const said: string[] = [];
    let now = 0;
    const peers = new Peers(
      "Source x",
      (sentence) => said.push(sentence),
      () => now,
    );
    const out = peers.add("connect", "tcp://a:1");
    const inn = peers.add("bind", "tcp://*:2");
    expect(peers.state).toBe("waits for tcp://a:1; listens on tcp://*:2 (0 connected)");
    for (let i = 0; i < 5; i++) {
      peers.take({ type: "connect" }, out);
      expect(peers.state).toContain("connected to tcp://a:1");
      peers.take({ type: "disconnect" }, out);
      now += 1000;
    }
    peers.take({ type: "accept" }, inn);
    peers.take({ type: "accept" }, inn);
    peers.take({ type: "handshake:error:auth" }, inn);
    peers.take({ type: "disconnect" }, inn);
    expect(peers.state).toBe("waits for tcp://a:1; listens on tcp://*:2 (1 connected)");
    expect(peers.turnedAway).toBe(1);
    now += 10_000;
    peers.take({ type: "connect" }, out);
    expect(said).toEqual([
      "Source x is connected to tcp://a:1",
      "Source x lost the connection to tcp://a:1 and reconnects",
      "Source x and a peer at tcp://*:2 cannot communicate: its key is not permitted",
      "Source x is connected to tcp://a:1",
    ]);
  });
});
