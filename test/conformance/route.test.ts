import { describe, expect, it, vi } from "vitest";
import { formatPrefix, parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { Encoder } from "../../src/kernel/netlink/encoder.ts";
import { messagesIn } from "../../src/kernel/netlink/message.ts";
import { RouteEnforcer } from "../../src/enforce/route/enforcer.ts";
import type { RouteTarget } from "../../src/enforce/route/kind.ts";
import { type Hole, readHole, writeHole } from "../../src/enforce/route/messages.ts";
import { enforcerConformance } from "./enforcer.ts";

// The same suite runs against the real kernel in test/system/route.test.ts.
const routes = vi.hoisted(() => new Map<string, unknown>());
vi.mock("../../src/enforce/route/session.ts", () => ({
  RouteSession: class {
    async change(kind: "ban" | "unban", holes: readonly Hole[]) {
      return holes.flatMap((hole, place) => {
        const key = `${formatPrefix(hole.prefix)} ${hole.priority}`;
        const isThere = routes.has(key);
        if (kind === "ban") routes.set(key, routes.get(key) ?? hole);
        else routes.delete(key);
        // EEXIST and ESRCH, as the kernel answers.
        if (kind === "ban" ? isThere : !isThere) return [{ place, errno: kind === "ban" ? 17 : 3 }];
        return [];
      });
    }
    async list(): Promise<unknown[]> {
      return [...routes.values()];
    }
    close(): void {}
  },
}));

vi.mock("../../src/enforce/route/watch-routes.ts", () => ({
  watchRoutes: () => ({ close: () => undefined }),
}));

enforcerConformance("route over routes in memory", {
  make: () => new RouteEnforcer(),
  outlives: true,
  bounded: false,
  tolerance: 0,
  rounds: 100,
  targets: [target("default"), target("slow", "prohibit"), target("web", "unreachable")],
  knowsEnds: false,
  change: (same) => same,
});

describe("a route in a netlink message", () => {
  // Recorded with `strace -x ip route add blackhole 192.0.2.1 proto 83 metric 7`: struct rtmsg, RTA_DST, RTA_PRIORITY.
  it("is an RTM_NEWROUTE of the main table", () => {
    const bytes = encoded({ prefix: prefix("192.0.2.1"), type: "blackhole", priority: 7 });
    expect(Buffer.from(bytes.subarray(16)).toString("hex")).toBe(
      "02200000fe530006" + "00000000" + "08000100c0000201" + "0800060007000000",
    );
  });

  it.each(["192.0.2.1", "198.51.100.0/24", "2001:db8::1", "2001:db8::/32", "0.0.0.0/0"])(
    "is read back as it was written: %s",
    (text) => {
      for (const type of ["blackhole", "unreachable", "prohibit"] as const) {
        const hole = { prefix: prefix(text), type, priority: 0x5300_0001 };
        const [message] = messagesIn(encoded(hole));
        expect(readHole(message!)).toEqual(hole);
      }
    },
  );

  it("is not ours when another program made it", () => {
    const bytes = encoded({ prefix: prefix("192.0.2.1"), type: "blackhole", priority: 7 });
    bytes[16 + 5] = 3;
    const [message] = messagesIn(bytes);
    expect(readHole(message!)).toBeNull();
  });
});

function encoded(hole: Hole): Uint8Array {
  const encoder = new Encoder(1024);
  writeHole(encoder, 1, "ban", hole);
  return Uint8Array.from(encoder.bytes);
}

function target(name: string, type: RouteTarget["type"] = "blackhole"): RouteTarget {
  return { name, enforcer: "route", type };
}

function prefix(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}
