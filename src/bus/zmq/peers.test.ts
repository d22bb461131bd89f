import { describe, expect, it } from "vitest";
import { Peers } from "./peers.ts";

describe("peers", () => {
  it("are told of as they come and go, each news now and then", () => {
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
      "Source x has lost tcp://a:1 and tries again",
      "Source x and a peer at tcp://*:2 do not understand each other: its key is not one of those that are let in",
      "Source x is connected to tcp://a:1",
    ]);
  });
});
