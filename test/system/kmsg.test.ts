import { openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { LineMatch } from "../../src/core/line-match.ts";
import { formatAddress } from "../../src/core/address.ts";
import { createMatcher } from "../../src/match/matcher.ts";
import { fixedZone } from "../../src/match/time/time-zone.ts";
import { CollectedLines } from "../support/collected-lines.ts";
import { until } from "../support/waiting.ts";
import { KmsgSource } from "../../src/source/kmsg/kmsg-source.ts";
import type { SourcePosition } from "../../src/source/source.ts";
import { readLibrary } from "../filters/library.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, join, Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { attempt } from "../support/packets.ts";

/** The kernel logs when an interface is renamed; these tests use that to make it write messages. */
const fault = namespaceFault() ?? kmsgFault();

function kmsgFault(): string | null {
  try {
    closeSync(openSync("/dev/kmsg", "r+"));
    return null;
  } catch {
    return "needs /dev/kmsg";
  }
}

describe.skipIf(fault !== null)(titled("kmsg against the real kernel", fault), () => {
  const namespace = useNamespace("kmsg");
  let talks = 0;
  beforeAll(() => {
    namespace.run("ip", "link", "add", "quiet", "type", "veth", "peer", "name", "peer");
  });

  /** Makes the kernel log a message with a new word and returns the word. */
  function makeTalk(): string {
    const word = `k${process.pid}n${++talks}`;
    namespace.run("ip", "link", "set", talks === 1 ? "quiet" : `k${process.pid}n${talks - 1}`, "name", word);
    return word;
  }

  function start(position: SourcePosition | null = null) {
    const source = new KmsgSource("kernel", { type: "kmsg" }, position);
    const got = new CollectedLines();
    const abort = new AbortController();
    const done = source.run(got.sink, abort.signal);
    const stop = async () => {
      abort.abort();
      await done;
    };
    onTestFinished(stop);
    const line = async (word: string): Promise<string> => {
      const found = () => got.lines.find((one) => one.includes(word));
      await until("the line is there", () => found() !== undefined);
      return found() ?? "";
    };
    return { source, got, line, stop };
  }

  const following = (source: KmsgSource) =>
    until("the source reads", () => source.stats.state.startsWith("reads"));

  it("delivers kernel messages with their time", async () => {
    const one = start();
    await following(one.source);
    for (let i = 0; i < 3; i++) {
      const before = Date.now();
      const line = await one.line(makeTalk());
      expect(line).toMatch(/^\S+Z \S+ kernel: \S+: renamed from /);
      const at = Date.parse(line.slice(0, line.indexOf(" ")));
      expect(at).toBeGreaterThan(before - 5000);
      expect(at).toBeLessThanOrEqual(Date.now());
    }
  });

  it("continues after a restart without loss or duplicates", async () => {
    const first = start();
    await following(first.source);
    const seen = makeTalk();
    await first.line(seen);
    await first.stop();
    const missed = [makeTalk(), makeTalk()];
    const second = start(JSON.parse(JSON.stringify(first.source.position())) as SourcePosition);
    for (const word of missed) await second.line(`${word}: renamed`);
    expect(second.got.lines.filter((line) => line.includes(`${seen}: renamed`))).toEqual([]);
    expect(second.source.stats.shed).toBe(0);
  });

  it("ignores messages that other programs write to /dev/kmsg", async () => {
    const one = start();
    await following(one.source);
    const forged = `forged${process.pid}`;
    writeFileSync("/dev/kmsg", `<4>${forged} IN=eth0 OUT= SRC=192.0.2.66\n`);
    await one.line(makeTalk());
    expect(one.got.lines.filter((line) => line.includes(forged))).toEqual([]);
    expect(readFileSync("/proc/sys/kernel/random/boot_id", "latin1")).toContain(
      String(one.source.position()?.["boot"]),
    );
  });

  const noNft = hasProgram("nft") ? null : "needs the nft program";
  describe.skipIf(noNft !== null)(titled("with LOG rules", noNft), () => {
    /** Rules in a namespace log only while this sysctl is 1; the old value is restored. */
    const allNamespaces = "/proc/sys/net/netfilter/nf_log_all_netns";
    let before = "";
    beforeAll(() => {
      before = readFileSync(allNamespaces, "latin1");
      writeFileSync(allNamespaces, "1");
    });
    afterAll(() => writeFileSync(allNamespaces, before));

    it("reads logged packets in which kernel-syn finds the senders, IPv4 and IPv6", async () => {
      const server = Namespace.create("logging");
      const client = Namespace.create("sender");
      onTestFinished(() => {
        server.remove();
        client.remove();
      });
      join(
        { namespace: server, addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
        { namespace: client, addresses: ["192.0.2.66/24", "2001:db8::66/64"] },
      );
      const before = Date.now();
      const mark = `stoplog${process.pid}: `;
      server.feed(
        `table inet t { chain c { type filter hook input priority 0;
           tcp flags & (syn|ack) == syn log prefix "${mark}" drop; }; }`,
        "nft",
        "-f",
        "-",
      );
      const one = start();
      await following(one.source);
      expect(await attempt(client, "192.0.2.1", 4444)).toBe("silence");
      expect(await attempt(client, "2001:db8::1", 4444)).toBe("silence");
      await until(
        "both lines are there",
        () => one.got.lines.filter((line) => line.includes(mark)).length >= 2,
      );

      const filter = readLibrary().find(({ name }) => name === "kernel-syn")?.filter;
      if (filter === null || filter === undefined) throw new Error("there is no filter kernel-syn");
      const bytes = Buffer.from(
        one.got.lines
          .filter((line) => line.includes(mark))
          .map((line) => `${line}\n`)
          .join(""),
        "latin1",
      );
      const failures: LineMatch[] = [];
      createMatcher([filter]).scan(
        { bytes, start: 0, end: bytes.length, backlog: false },
        { now: Date.now(), zone: fixedZone(0) },
        (failure) => failures.push(failure),
      );
      const who = failures.map(({ address }) => (address === null ? "" : formatAddress(address)));
      expect([...new Set(who)]).toEqual(["192.0.2.66", "2001:db8::66"]);
      for (const { at } of failures) {
        // The kernel's clock may differ by a few seconds.
        expect(at).toBeGreaterThan(before - 5000);
        expect(at).toBeLessThanOrEqual(Date.now() + 5000);
      }
    });
  });
});
