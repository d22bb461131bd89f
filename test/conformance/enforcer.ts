import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatPrefix, parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { FOREVER, HOUR, type Instant, MINUTE } from "../../src/core/time.ts";
import type {
  Enforced,
  Enforcement,
  Enforcer,
  PacketTarget,
  TargetSpec,
} from "../../src/enforce/enforcer.ts";
import { MemoryEnforcer } from "../../src/enforce/dry-run/memory.ts";

export interface EnforcerCase {
  /** Makes a new enforcer over the same kernel or memory; its sets hold `size` elements where they have a limit. */
  readonly make: (size?: number) => Enforcer;
  /** Whether bans outlive the enforcer object. */
  readonly outlives: boolean;
  /** Whether its sets have a limit. */
  readonly bounded: boolean;
  /** By how many milliseconds the end of a ban may differ when it is read back. */
  readonly tolerance: number;
  /** Runs of the property test. */
  readonly rounds: number;
  /** Three targets called default, slow and web; those of nftables by default. */
  readonly targets?: readonly [TargetSpec, TargetSpec, TargetSpec];
  /** False for an enforcer that holds single addresses only, and refuses networks. */
  readonly networks?: boolean;
  /** False for an enforcer that cannot tell when a ban ends. */
  readonly knowsEnds?: boolean;
  /** Number of changes in one large call; 3000 by default. */
  readonly many?: number;
  /** Name of the set with the IPv4 hosts of `default`, for a bounded enforcer; `default_v4` by default. */
  readonly boundedSet?: string;
  /** Changes the rules of a target before it is opened again; to reject on some ports by default. */
  readonly change?: (target: TargetSpec) => TargetSpec;
}

/** A test that is skipped, with the reason, for an enforcer that it does not apply to. */
function itIf(applies: boolean, reason: string) {
  return (name: string, test: () => Promise<void>): void =>
    it(name, async ({ skip }) => {
      skip(!applies, reason);
      await test();
    });
}

/** The contract of every enforcer. Run it inside a namespace of its own when the enforcer reaches a real kernel. */
export function enforcerConformance(name: string, options: EnforcerCase): void {
  const targets = options.targets ?? TARGETS;
  const networks = options.networks ?? true;
  const knowsEnds = options.knowsEnds ?? true;
  const expires = options.make().expires;
  const kinds = (...texts: readonly string[]): readonly string[] =>
    networks ? texts : texts.filter((text) => !text.includes("/"));

  describe(`${name} as an enforcer`, () => {
    let enforcer: Enforcer;

    beforeEach(async () => {
      enforcer = options.make();
      await enforcer.open(targets, noLoss);
    });

    afterEach(async () => {
      await enforcer.close({ flush: true });
    });

    it("holds bans of every kind of prefix until they expire", async () => {
      const now = Date.now();
      const bans = kinds("192.0.2.1", "198.51.100.0/24", "2001:db8::1", "2001:db8:1::/48", "0.0.0.0/1").map(
        (text, i) => ban(text, "default", now + (i + 1) * HOUR),
      );
      expect(await enforcer.apply(bans, now)).toEqual([]);
      expectSame(await enforcer.list(), bans, now);
    });

    it("keeps the bans of targets apart", async () => {
      const now = Date.now();
      const bans = [ban("192.0.2.1", "default", now + HOUR), ban("192.0.2.1", "slow", now + 2 * HOUR)];
      await enforcer.apply(bans, now);
      await enforcer.apply([unban("192.0.2.1", "default")], now);
      expectSame(await enforcer.list(), [bans[1]!], now);
    });

    it("holds a permanent ban", async () => {
      const now = Date.now();
      const bans = kinds("192.0.2.1", "2001:db8::/32").map((text) => ban(text, "default", FOREVER));
      expect(await enforcer.apply(bans, now)).toEqual([]);
      expectSame(await enforcer.list(), bans, now);
    });

    it("changes a ban's end: later, earlier, permanent, and back", async () => {
      for (const text of kinds("192.0.2.1", "2001:db8::1", "192.0.2.0/24")) {
        for (const until of [HOUR, 3 * HOUR, MINUTE, FOREVER, HOUR]) {
          const now = Date.now();
          const change = ban(text, "default", until === FOREVER ? FOREVER : now + until);
          expect(await enforcer.apply([change], now)).toEqual([]);
          expectSame(await enforcer.list(), [change], now);
        }
        await enforcer.apply([unban(text, "default")], Date.now());
      }
    });

    it("applies the last of several changes to one prefix in one call", async () => {
      const now = Date.now();
      const changes = [
        ban("192.0.2.1", "default", now + HOUR),
        ban("192.0.2.1", "default", now + 3 * HOUR),
        ban("192.0.2.2", "default", now + HOUR),
        unban("192.0.2.2", "default"),
        unban("192.0.2.3", "default"),
        ban("192.0.2.3", "default", now + HOUR),
        // The end that it had first, again.
        ban("192.0.2.1", "default", now + HOUR),
      ];
      expect(await enforcer.apply(changes, now)).toEqual([]);
      expectSame(await enforcer.list(), [ban("192.0.2.1", "default", now + HOUR), changes[5]!], now);
    });

    itIf(!networks, "it holds networks")("refuses networks with a reason", async () => {
      const now = Date.now();
      const refusals = await enforcer.apply([ban("192.0.2.0/24", "default", now + HOUR)], now);
      expect(refusals).toMatchObject([{ prefix: prefix("192.0.2.0/24"), target: "default" }]);
      expect(refusals[0]?.fact).toMatch(/^Cannot ban 192\.0\.2\.0\/24 at default: /);
      expect(await enforcer.list()).toEqual([]);
    });

    itIf(networks, "it holds single addresses only")(
      "holds networks within networks, each with its own end",
      async () => {
        const now = Date.now();
        const bans = [
          ban("10.0.0.0/8", "default", now + HOUR),
          ban("10.1.0.0/16", "default", now + 2 * HOUR),
          ban("10.1.2.0/24", "default", now + MINUTE),
          ban("10.1.2.3", "default", FOREVER),
        ];
        expect(await enforcer.apply(bans, now)).toEqual([]);
        expectSame(await enforcer.list(), bans, now);
        await enforcer.apply([unban("10.0.0.0/8", "default")], now);
        expectSame(await enforcer.list(), bans.slice(1), now);
      },
    );

    it("accepts an unban of a prefix that is not banned", async () => {
      const now = Date.now();
      const unbans = kinds("192.0.2.1", "192.0.2.0/25", "2001:db8::1").map((text) => unban(text, "default"));
      expect(await enforcer.apply(unbans, now)).toEqual([]);
      expect(await enforcer.apply([unban("192.0.2.1", "nowhere")], now)).toEqual([]);
    });

    it("treats an expired ban as an unban", async () => {
      const now = Date.now();
      await enforcer.apply([ban("192.0.2.1", "default", now + HOUR)], now);
      const late = [ban("192.0.2.1", "default", now), ban("192.0.2.2", "default", now - HOUR)];
      expect(await enforcer.apply(late, now)).toEqual([]);
      expect(await enforcer.list()).toEqual([]);
    });

    itIf(expires !== "book", "the book unbans for it")(
      "lets a ban expire by itself and not early",
      async () => {
        const now = Date.now();
        const until = now + 1500;
        await enforcer.apply([ban("192.0.2.1", "default", until)], now);
        while ((await enforcer.list()).length > 0) await sleep(20);
        expect(Date.now()).toBeGreaterThanOrEqual(until);
      },
    );

    it("refuses an unknown target with a reason and applies the rest", async () => {
      const now = Date.now();
      const good = ban("192.0.2.1", "default", now + HOUR);
      const refusals = await enforcer.apply([ban("192.0.2.2", "nowhere", now + HOUR), good], now);
      expect(refusals).toMatchObject([
        {
          kind: "ban",
          prefix: prefix("192.0.2.2"),
          target: "nowhere",
          why: "there is no target nowhere",
          isFull: false,
          fact: "Cannot ban 192.0.2.2 at nowhere: there is no target nowhere",
        },
      ]);
      expectSame(await enforcer.list(), [good], now);
    });

    it("replaces all bans with exactly the given ones", async () => {
      const now = Date.now();
      await enforcer.apply(
        kinds("192.0.2.1", "192.0.2.2", "198.51.100.0/24", "2001:db8::1").map((t) =>
          ban(t, "default", now + HOUR),
        ),
        now,
      );
      const expected = [
        ban("192.0.2.2", "default", now + 2 * HOUR),
        ban("192.0.2.3", "slow", now + HOUR),
        ban(networks ? "203.0.113.0/25" : "203.0.113.1", "default", FOREVER),
      ];
      expect(await enforcer.replace([...expected, ban("192.0.2.9", "default", now)], now)).toEqual([]);
      expectSame(await enforcer.list(), expected, now);
      expect(await enforcer.replace([], now)).toEqual([]);
      expect(await enforcer.list()).toEqual([]);
    });

    it("applies many changes in one call", async () => {
      const now = Date.now();
      const many = options.many ?? 3000;
      const bans = Array.from({ length: many }, (_, i) =>
        ban(i % 3 === 0 ? `2001:db8::${i.toString(16)}` : `10.0.${i >> 8}.${i & 255}`, "default", now + HOUR),
      );
      expect(await enforcer.apply(bans, now)).toEqual([]);
      expect(await enforcer.list()).toHaveLength(many);
      expect(await enforcer.apply(bans.slice(1).map(unbanOf), now)).toEqual([]);
      expectSame(await enforcer.list(), bans.slice(0, 1), now);
    });

    it("serves other targets after it is opened again", async () => {
      const now = Date.now();
      const kept = ban("192.0.2.1", "default", now + HOUR);
      await enforcer.apply([kept, ban("192.0.2.2", "slow", now + HOUR)], now);
      await enforcer.open([targets[0], { ...targets[2], name: "other" }], noLoss);
      expectSame(await enforcer.list(), [kept], now);
      const next = ban("192.0.2.3", "other", now + HOUR);
      expect(await enforcer.apply([next], now)).toEqual([]);
      expectSame(await enforcer.list(), [kept, next], now);
    });

    it("rejects changes while it is closed", async () => {
      const closed = options.make();
      await expect(closed.apply([], 0)).rejects.toThrow(/^Cannot change bans: .* is not open$/);
      await closed.close({ flush: true });
    });

    itIf(options.outlives, "its bans end with the process")(
      "finds the bans of an earlier run and gives them the new rules",
      async () => {
        const now = Date.now();
        const bans = kinds("192.0.2.1", "198.51.100.0/24", "192.0.2.2", "2001:db8::1").map((t) =>
          ban(t, "default", now + HOUR),
        );
        await enforcer.apply(bans, now);
        await enforcer.close({ flush: false });
        enforcer = options.make(5000);
        await enforcer.open([(options.change ?? rejectOnPorts)(targets[0])], noLoss);
        expectSame(await enforcer.list(), bans, now);
        expect(await enforcer.apply([unbanOf(bans[1]!)], now)).toEqual([]);
        expectSame(await enforcer.list(), [bans[0]!, ...bans.slice(2)], now);
      },
    );

    itIf(options.bounded, "its sets have no bound")(
      "reports each element that a full set refuses and holds the rest [limit: setElements]",
      async () => {
        await enforcer.close({ flush: true });
        enforcer = options.make(16);
        await enforcer.open(targets, noLoss);
        const now = Date.now();
        const bans = Array.from({ length: 40 }, (_, i) => ban(`192.0.2.${i}`, "default", now + HOUR));
        const other = ban("2001:db8::1", "default", now + HOUR);
        const refusals = await enforcer.apply([...bans, other], now);
        const refused = refusals.map((refusal) => formatPrefix(refusal.prefix));
        expect(refused).toHaveLength(24);
        expect(refusals.every(({ isFull }) => isFull)).toBe(true);
        expect(refusals[0]?.fact).toBe(
          `Cannot ban ${refused[0]} at default: the set ${options.boundedSet ?? "default_v4"} is full with 16 elements`,
        );
        const held = bans.filter(({ prefix: p }) => !refused.includes(formatPrefix(p)));
        expectSame(await enforcer.list(), [...held, other], now);
        // In a full set, existing bans can be changed and unbanned; unbanning a missing one is accepted too.
        const later = held.slice(0, 8).map((one) => ({ ...one, until: now + 2 * HOUR }));
        expect(
          await enforcer.apply([...later, unbanOf(held[9]!), unban("192.0.2.200", "default")], now),
        ).toEqual([]);
        expect((await enforcer.list()).length).toBe(16);
        // A replacement with too many bans removes the old ones first.
        const many = Array.from({ length: 20 }, (_, i) => ban(`198.51.100.${i}`, "default", now + HOUR));
        expect(await enforcer.replace(many, now)).toHaveLength(4);
        const left = (await enforcer.list()).map((one) => formatPrefix(one.prefix));
        expect(left).toHaveLength(16);
        expect(left.every((text) => text.startsWith("198.51.100."))).toBe(true);
      },
    );

    it("agrees with the memory enforcer after any changes", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(arbitraryChange(networks), { maxLength: 12 }), { maxLength: 4 }),
          async (calls) => {
            const now = Date.now();
            const reference = new MemoryEnforcer(() => now);
            await reference.open(targets);
            await enforcer.replace([], now);
            for (const [i, call] of calls.entries()) {
              const changes = call.map((change) =>
                change.kind === "unban" ? change : { ...change, until: now + change.until },
              );
              const act = i % 3 === 2 ? "replace" : "apply";
              const bans = act === "replace" ? changes.filter(({ kind }) => kind === "ban") : changes;
              expect(await enforcer[act](bans, now)).toEqual(await reference[act](bans, now));
            }
            expectSame(await enforcer.list(), asBans(await reference.list()), now);
          },
        ),
        { numRuns: options.rounds },
      );
    });

    function expectSame(enforced: readonly Enforced[], bans: readonly Enforcement[], now: Instant): void {
      const found = new Map(enforced.map((one) => [`${one.target} ${formatPrefix(one.prefix)}`, one.until]));
      expect(enforced).toHaveLength(found.size);
      expect([...found.keys()].toSorted()).toEqual(
        bans.map((one) => `${one.target} ${formatPrefix(one.prefix)}`).toSorted(),
      );
      for (const one of bans) {
        const until = found.get(`${one.target} ${formatPrefix(one.prefix)}`) ?? 0;
        if (!knowsEnds) continue;
        const expected = one.kind === "ban" ? one.until : now;
        if (expected === FOREVER) expect(until).toBe(FOREVER);
        else expect(Math.abs(until - expected)).toBeLessThanOrEqual(options.tolerance);
      }
    }
  });
}

const TARGETS: readonly [PacketTarget, PacketTarget, PacketTarget] = [
  { name: "default", enforcer: "nftables", verdict: { kind: "drop" }, ports: [], protocols: [] },
  {
    name: "slow",
    enforcer: "nftables",
    verdict: { kind: "throttle", packets: 10, per: MINUTE, burst: 5 },
    ports: [
      { first: 22, last: 22 },
      { first: 65_000, last: 65_535 },
    ],
    protocols: ["tcp"],
  },
  {
    name: "web",
    enforcer: "nftables",
    verdict: { kind: "reject" },
    ports: [
      { first: 80, last: 80 },
      { first: 80, last: 443 },
    ],
    protocols: [],
  },
];

function rejectOnPorts(target: TargetSpec): TargetSpec {
  return { ...target, verdict: { kind: "reject" }, ports: [{ first: 80, last: 90 }] } as TargetSpec;
}

const HOSTS = ["10.1.2.3", "10.1.2.4", "2001:db8::1"];
const NETWORKS = ["10.1.2.0/24", "10.1.0.0/16", "2001:db8::/64", "2001:db8::/32"];

/** A few prefixes only, so that changes collide. */
const arbitraryChange = (networks: boolean) =>
  fc
    .record({
      text: fc.constantFrom(...HOSTS, ...(networks ? NETWORKS : [])),
      target: fc.constantFrom("default", "slow", "nowhere"),
      until: fc.constantFrom(-HOUR, 0, HOUR, 2 * HOUR, FOREVER),
      banned: fc.boolean(),
    })
    .map(({ text, target, until, banned }) => (banned ? ban(text, target, until) : unban(text, target)));

type BanChange = Extract<Enforcement, { kind: "ban" }>;

function ban(text: string, target: string, until: Instant): BanChange {
  return { kind: "ban", prefix: prefix(text), target, until };
}

function unban(text: string, target: string): Enforcement {
  return { kind: "unban", prefix: prefix(text), target };
}

function unbanOf({ prefix: p, target }: Enforcement): Enforcement {
  return { kind: "unban", prefix: p, target };
}

function asBans(enforced: readonly Enforced[]): readonly Enforcement[] {
  return enforced.map((one) => ({ kind: "ban", ...one, until: one.until ?? FOREVER }));
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
}

function noLoss(fact: string): void {
  throw new Error(`Cannot go on: ${fact}`);
}
