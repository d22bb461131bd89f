import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Address, address, parseAddress, sameAddress, V4_MARK } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import { hostPrefix, parsePrefix } from "../../core/prefix.ts";
import {
  EINVAL,
  ENFILE,
  ENOENT,
  EOPNOTSUPP,
  EPERM,
  ESTALE,
  systemError,
} from "../../kernel/native/system-error.ts";
import { ConnectionCutter } from "./cutter.ts";
import { FakeKernel } from "../../../test/support/fake-connections.ts";

describe("ConnectionCutter", () => {
  let kernel: FakeKernel;
  let warnings: string[];
  let cutter: ConnectionCutter;

  beforeEach(() => {
    kernel = new FakeKernel();
    warnings = [];
    cutter = new ConnectionCutter({
      warn: (sentence) => warnings.push(sentence),
      now: () => 0,
      open: (options) => kernel.open(options),
    });
  });

  afterEach(() => cutter.close());

  const cut = async (...prefixes: readonly string[]): Promise<void> => {
    for (const each of prefixes) cutter.cut(parsePrefix(each)!);
    await cutter.finished();
  };

  /** Requests of this kind since the last call. */
  const asked = (question: string): number =>
    kernel.asked.splice(0).filter((each) => each === question).length;

  it("opens sockets at the first ban, and closes them once", async () => {
    await cutter.finished();
    expect(kernel.opened).toBe(0);
    await cut("192.0.2.1");
    await cut("192.0.2.2");
    expect([kernel.opened, kernel.closed]).toEqual([4, 0]);
    cutter.close();
    cutter.close();
    expect([kernel.opened, kernel.closed]).toEqual([4, 4]);
    await cut("192.0.2.3");
    expect(kernel.opened).toBe(4);
  });

  it("cuts prefixes that come together in one pass, and prefixes that come during it in the next", async () => {
    kernel.sockets = [at("192.0.2.1"), at("192.0.2.2"), at("192.0.2.3"), at("192.0.2.4")];
    kernel.refuse = (question) => {
      if (question === "list sockets" && cutter.stats.passes === 0) cutter.cut(hostPrefix(at("192.0.2.3")));
      return 0;
    };
    await cut("192.0.2.1", "192.0.2.2");
    expect(kernel.sockets).toEqual([at("192.0.2.4")]);
    expect(cutter.stats).toEqual({
      state: "ready",
      passes: 2,
      entries: 0,
      sockets: 3,
      refused: 0,
      waiting: 0,
      dropped: 0,
      lastTrouble: null,
    });
  });

  it("does not list an empty conntrack table", async () => {
    await cut("192.0.2.0/24");
    expect(kernel.asked).toContain("count");
    expect(asked("list entries")).toBe(0);
  });

  it.each([
    ["192.0.2.1", 1, 0],
    ["192.0.2.0/24", 0, 1],
  ])("for %s it searches %i times and lists %i times", async (banned, looks, lists) => {
    kernel.tracked = [at("192.0.2.1"), at("198.51.100.1")];
    await cut(banned);
    const questions = kernel.asked.splice(0);
    expect(questions.includes("look for")).toBe(looks === 1);
    expect(questions.filter((each) => each === "list entries")).toHaveLength(lists);
    expect(kernel.tracked).toEqual([at("198.51.100.1")]);
    expect(cutter.stats).toMatchObject({ entries: 1, refused: 0 });
  });

  it.each([EOPNOTSUPP, EINVAL])(
    "lists when the kernel cannot search for an address (%i), and does not ask again",
    async (errno) => {
      kernel.refuse = (question) => (question === "look for" ? errno : 0);
      kernel.tracked = [at("192.0.2.1"), at("192.0.2.2"), at("198.51.100.1")];
      await cut("192.0.2.1");
      expect(asked("look for")).toBe(1);
      await cut("192.0.2.2");
      expect(asked("look for")).toBe(0);
      expect(kernel.tracked).toEqual([at("198.51.100.1")]);
      expect([cutter.stats.entries, warnings]).toEqual([2, []]);
    },
  );

  it("warns once that the capability is missing, and counts prefixes that are not cut", async () => {
    kernel.refuse = (question) => (question === "list sockets" ? 0 : EPERM);
    await cut("192.0.2.1", "192.0.2.2");
    await cut("192.0.2.3");
    const sentence = "Cannot cut connections: the capability CAP_NET_ADMIN is missing";
    expect([warnings, cutter.stats.lastTrouble]).toEqual([[sentence], sentence]);
    expect(cutter.stats).toMatchObject({ state: "not possible here", dropped: 3, waiting: 0 });
  });

  it.each([
    [
      "list entries",
      EINVAL,
      "Cannot list conntrack entries: the kernel has no module nf_conntrack_netlink",
      "ready for TCP sockets and UDP sockets alone",
    ],
    [
      "destroy",
      EOPNOTSUPP,
      "Cannot cut TCP sockets: the kernel was built without INET_DIAG_DESTROY",
      "ready for UDP sockets and conntrack entries alone",
    ],
  ] as const)("continues without what the kernel lacks: %s, %i", async (lacking, errno, sentence, state) => {
    kernel.refuse = (question) =>
      question === lacking || (lacking === "list entries" && question === "count") ? errno : 0;
    kernel.sockets = [at("192.0.2.1"), at("192.0.2.2")];
    kernel.tracked = [at("192.0.2.1"), at("192.0.2.2")];
    await cut("192.0.2.1");
    kernel.asked.splice(0);
    await cut("192.0.2.2");
    expect(kernel.asked).not.toContain(lacking);
    expect([warnings, cutter.stats.state]).toEqual([[sentence], state]);
    const left = lacking === "destroy" ? kernel.tracked : kernel.sockets;
    expect(left).toEqual([]);
  });

  it("warns once for each kind of socket that cannot be listed", async () => {
    kernel.refuse = (question) => (question === "list sockets" ? ENOENT : 0);
    await cut("192.0.2.1");
    await cut("192.0.2.1");
    expect(warnings).toEqual([
      "Cannot list TCP sockets: the kernel has no module tcp_diag",
      "Cannot list UDP sockets: the kernel has no module udp_diag",
    ]);
  });

  it("counts what the kernel refuses, and not what ended by itself", async () => {
    kernel.sockets = [1, 2, 3, 4, 5].map((n) => at(`192.0.2.${n}`));
    kernel.refuse = (question, about) => {
      if (question !== "destroy" || about === null) return 0;
      return [0, 0, ENOENT, ESTALE, ENFILE, 0][about.w3 & 7]!;
    };
    await cut("192.0.2.0/24");
    expect(cutter.stats).toMatchObject({ sockets: 2, refused: 1, state: "ready" });
    expect(warnings).toEqual([`Cannot cut TCP sockets: ${systemError(ENFILE).message}`]);
  });

  it("tries again with new sockets after one has failed", async () => {
    kernel.sockets = [at("192.0.2.1")];
    kernel.refuse = (question) => (question === "list sockets" ? -1 : 0);
    await cut("192.0.2.1");
    expect(warnings[0]).toBe("Cannot list TCP sockets: the kernel stopped in the middle");
    expect([cutter.stats.sockets, kernel.opened - kernel.closed]).toEqual([0, 2]);
    expect(cutter.stats.lastTrouble).not.toBeNull();
    kernel.refuse = () => 0;
    await cut("192.0.2.1");
    expect(cutter.stats.lastTrouble).toBeNull();
    expect([cutter.stats.sockets, kernel.opened - kernel.closed]).toEqual([1, 4]);
  });

  it("drops the oldest when too many wait, counts them and warns once [limit: cutPrefixes]", async () => {
    const most = LIMITS.cutPrefixes.value;
    const hosts = Array.from({ length: most + 3 }, (_, n) => address(0, 0, V4_MARK, 0x0a00_0000 + n));
    kernel.tracked = [hosts[0]!, hosts[2]!, hosts[3]!, hosts[most + 2]!];
    for (const each of hosts) cutter.cut(hostPrefix(each));
    expect(cutter.stats).toMatchObject({ waiting: most, dropped: 3 });
    await cutter.finished();
    expect(kernel.tracked.map((each) => hosts.findIndex((host) => sameAddress(host, each)))).toEqual([0, 2]);
    expect(warnings).toEqual([
      `Cannot cut the connections of every banned prefix: ${most} prefixes are waiting, and the oldest are dropped`,
    ]);
    expect(cutter.stats).toMatchObject({ waiting: 0, dropped: 3, entries: 2 });
  });
});

const at = (text: string): Address => parseAddress(text)!;
