import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Book } from "../../src/book/book.ts";
import { address, V4_MARK } from "../../src/core/address.ts";
import { hostPrefix, parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { sleep } from "../../src/core/sleep.ts";
import { HOUR } from "../../src/core/time.ts";
import type { Enforcer, TargetSpec } from "../../src/enforce/enforcer.ts";
import { IpsetEnforcer } from "../../src/enforce/ipset/enforcer.ts";
import { IptablesEnforcer } from "../../src/enforce/iptables/enforcer.ts";
import { NftProgramEnforcer } from "../../src/enforce/nft-program/enforcer.ts";
import { NftablesEnforcer } from "../../src/enforce/nftables/enforcer.ts";
import { HostsDenyEnforcer } from "../../src/enforce/hosts-deny/enforcer.ts";
import { NftSetEnforcer } from "../../src/enforce/nft-set/enforcer.ts";
import { ProxyEnforcer } from "../../src/enforce/proxy/enforcer.ts";
import { RouteEnforcer } from "../../src/enforce/route/enforcer.ts";
import { RecentEnforcer } from "../../src/enforce/recent/enforcer.ts";
import { recentRules } from "../../src/enforce/recent/rules.ts";
import { Reconciler } from "../../src/enforce/reconcile.ts";
import { enterNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { SteadyProbe } from "../support/steady-probe.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (hasProgram("ip6tables-restore") ? null : "needs the programs of iptables") ??
  (hasProgram("ipset") ? null : "needs the program ipset") ??
  (hasProgram("nft") ? null : "needs the program nft");

const run = promisify(execFile);

/** What the operator's own scripts make. */
const OPERATORS = [
  ...recentRules({ name: "recent", enforcer: "recent", list: "stoplog" }),
  "nft add table inet own",
  "nft add set inet own blocked4 '{ type ipv4_addr; flags timeout; }'",
  "nft add chain inet own input '{ type filter hook input priority -10; }'",
  "nft add rule inet own input ip saddr @blocked4 drop",
];

/** Each kind with a banned address of its own, of which a packet a millisecond comes. */
const KINDS: readonly { readonly kind: string; readonly attacker: string; readonly make: () => Enforcer }[] =
  [
    { kind: "nftables", attacker: "127.66.0.1", make: () => new NftablesEnforcer({ owner: false }) },
    { kind: "nft", attacker: "127.66.0.2", make: () => new NftProgramEnforcer({ table: "stoplog-program" }) },
    { kind: "ipset", attacker: "127.66.0.3", make: () => new IpsetEnforcer() },
    { kind: "iptables", attacker: "127.66.0.4", make: () => new IptablesEnforcer() },
    { kind: "recent", attacker: "127.66.0.5", make: () => new RecentEnforcer() },
    { kind: "nft-set", attacker: "127.66.0.6", make: () => new NftSetEnforcer() },
  ];

describe.skipIf(fault !== null)(titled("bans that another program takes away", fault), () => {
  const namespace = enterNamespace("repairs");
  const book = new Book({ capacity: 10_000, changes: 1000 });
  const reconcilers: Reconciler[] = [];
  const saved: string[] = [];
  let probe: SteadyProbe;

  beforeAll(async () => {
    for (const command of OPERATORS) namespace.run("sh", "-c", command);
    for (const { kind, attacker, make } of KINDS) {
      ban(book, parsePrefix(attacker) as Prefix, kind);
      for (let i = 0; i < 90; i++) ban(book, hostPrefix(address(0, 0, V4_MARK, 0x0a00_0000 + i)), kind);
      const deps = { now: Date.now, sleep: (ms: number) => sleep(ms), warn: (s: string) => saved.push(s) };
      const reconciler = new Reconciler(make(), book, deps);
      await reconciler.open([targetOf(kind)]);
      await reconciler.resync();
      reconcilers.push(reconciler);
    }
    probe = new SteadyProbe(KINDS.map(({ attacker }) => attacker));
  });

  afterAll(async () => {
    await probe.close();
    for (const reconciler of reconcilers) await reconciler.close({ flush: true });
  });

  it.each<[string, readonly string[], readonly string[]]>([
    [
      "the sets, the chain and the list are flushed",
      [
        "nft flush set inet stoplog nftables_v4",
        "nft flush set inet stoplog-program nft_v4",
        "nft flush set inet own blocked4",
        "ipset flush stoplog-ipset:4",
        "iptables -F stoplog-iptables",
        "echo / > /proc/net/xt_recent/stoplog",
      ],
      ["nftables", "nft", "nft-set", "ipset", "iptables", "recent"],
    ],
    [
      "a single ban is deleted",
      [
        "nft delete element inet stoplog nftables_v4 '{ 127.66.0.1 }'",
        "nft delete element inet own blocked4 '{ 127.66.0.6 }'",
        "ipset del stoplog-ipset:4 127.66.0.3",
        "iptables -D stoplog-iptables 91",
        "echo -127.66.0.5 > /proc/net/xt_recent/stoplog",
      ],
      ["nftables", "nft-set", "ipset", "iptables", "recent"],
    ],
    [
      "a ban is exchanged for another address, which only a comparison with the bans shows",
      [
        "nft 'delete element inet stoplog-program nft_v4 { 127.66.0.2 }; add element inet stoplog-program nft_v4 { 203.0.113.9 timeout 1h }'",
        "ipset del stoplog-ipset:4 127.66.0.3",
        "ipset add stoplog-ipset:4 203.0.113.9",
      ],
      ["nft", "ipset"],
    ],
    [
      "everything is deleted, and the operator's rules come back",
      ["nft flush ruleset", ...OPERATORS],
      ["nftables", "nft", "nft-set", "ipset", "iptables", "recent"],
    ],
    [
      "the sets and rules stay and are made void",
      [
        "nft add table inet stoplog '{ flags dormant; }'",
        "nft insert rule inet stoplog-program prerouting accept",
        "ipset flush stoplog-ipset",
        "iptables -I stoplog-iptables 1 -j ACCEPT",
      ],
      ["nftables", "nft", "ipset", "iptables"],
    ],
  ])(
    "hold again when %s",
    async (title, harms, kinds) => {
      await probe.untilQuiet(500);
      // Not waited for by this thread, which must look meanwhile.
      await run("sh", ["-c", harms.join(" && ")]);
      const passed = await probe.untilQuiet(2500);
      const figures = KINDS.filter(({ kind }) => kinds.includes(kind)).map(
        ({ kind, attacker }) => `${kind} ${passed[attacker] ?? 0}`,
      );
      process.stdout.write(`${title}: packets that passed at 1 kHz: ${figures.join(", ")}\n`);
      // About 1,000 are measured on a quiet machine: a look a second.
      for (const { attacker } of KINDS) expect(passed[attacker] ?? 0).toBeLessThan(20_000);
    },
    90_000,
  );
});

describe.skipIf(fault !== null)(titled("a hundred thousand bans in a table without an owner", fault), () => {
  enterNamespace("repairs-many");

  it("come back after a flush, the newest first", async () => {
    const book = new Book({ capacity: 200_000, changes: 1000 });
    const [oldest, newest] = ["127.66.0.1", "127.66.0.2"];
    ban(book, parsePrefix(oldest) as Prefix, "nftables", Date.now() - 2 * HOUR);
    for (let i = 0; i < 100_000; i++)
      ban(book, hostPrefix(address(0, 0, V4_MARK, 0x0a00_0000 + i)), "nftables", Date.now() - HOUR);
    ban(book, parsePrefix(newest) as Prefix, "nftables");
    const deps = { now: Date.now, sleep: (ms: number) => sleep(ms), warn: () => undefined };
    const reconciler = new Reconciler(new NftablesEnforcer({ owner: false }), book, deps);
    await reconciler.open([targetOf("nftables")]);
    await reconciler.resync();
    const probe = new SteadyProbe([oldest, newest]);
    await probe.untilQuiet(500);
    await run("nft", ["flush", "ruleset"]);
    const passed = await probe.untilQuiet(1000);
    process.stdout.write(
      `nft flush ruleset with 100,000 bans: packets that passed at 1 kHz: newest ban ${passed[newest] ?? 0}, oldest ${passed[oldest] ?? 0}\n`,
    );
    expect(passed[newest] ?? 0).toBeLessThanOrEqual(passed[oldest] ?? 0);
    expect(passed[oldest] ?? 0).toBeLessThan(20_000);
    await probe.close();
    await reconciler.close({ flush: true });
  }, 90_000);
});

describe.skipIf(fault !== null)(titled("files and routes that another program removes", fault), () => {
  const namespace = enterNamespace("repairs-files");
  const folder = mkdtempSync(join(tmpdir(), "stoplog-repairs-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("are made again", async () => {
    const book = new Book({ capacity: 1000, changes: 1000 });
    const prefix = parsePrefix("192.0.2.1") as Prefix;
    const [deny, file] = [join(folder, "hosts.deny"), join(folder, "banned")];
    const proxy = { path: file, format: "nginx-geo", mode: 0o644, socket: null, reload: null };
    const kinds: readonly (readonly [Enforcer, TargetSpec, () => unknown])[] = [
      [
        new HostsDenyEnforcer(),
        { name: "deny", enforcer: "hosts.deny", path: deny, services: "ALL" } as TargetSpec,
        () => writeFileSync(deny, ""),
      ],
      [
        new ProxyEnforcer(),
        { name: "proxy", enforcer: "proxy", ...proxy, reloadEvery: 1000, timeout: 1000 } as TargetSpec,
        () => rmSync(file),
      ],
      [
        new RouteEnforcer(),
        { name: "route", enforcer: "route", type: "blackhole" } as TargetSpec,
        () => namespace.run("ip", "route", "flush", "proto", "83"),
      ],
    ];
    const reconcilers: Reconciler[] = [];
    for (const [enforcer, target] of kinds) {
      ban(book, prefix, target.name);
      const deps = { now: Date.now, sleep: (ms: number) => sleep(ms), warn: () => undefined };
      const reconciler = new Reconciler(enforcer, book, deps);
      await reconciler.open([target]);
      await reconciler.resync();
      reconcilers.push(reconciler);
    }
    const holds: readonly (() => boolean | Promise<boolean>)[] = [
      () => readFileSync(deny, "utf8").includes("192.0.2.1"),
      () => existsSync(file) && readFileSync(file, "utf8").includes("192.0.2.1"),
      async () => (await reconcilers[2]!.list()).length === 1,
    ];
    const figures: string[] = [];
    for (const [i, [{ kind }, , harm]] of kinds.entries()) {
      await until(`the bans of ${kind} are there`, holds[i]!);
      harm();
      const from = performance.now();
      await until(`the bans of ${kind} are back`, holds[i]!);
      figures.push(`${kind} ${Math.round(performance.now() - from)}`);
    }
    process.stdout.write(`removed: ms until it was whole again: ${figures.join(", ")}\n`);
    for (const reconciler of reconcilers) await reconciler.close({ flush: true });
  }, 90_000);
});

function targetOf(kind: string): TargetSpec {
  if (kind === "nft-set") {
    const sets = [{ family: "inet", table: "own", set: "blocked4" }];
    return { name: kind, enforcer: kind, sets } as TargetSpec;
  }
  const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
  const all = { name: kind, enforcer: kind, ...match, chain: "INPUT", interface: null, sets: [], rule: true };
  return kind === "recent" ? recentTarget() : (all as TargetSpec);
}

function recentTarget() {
  return { name: "recent", enforcer: "recent", list: "stoplog" };
}

function ban(book: Book, prefix: Prefix, target: string, since = Date.now()): void {
  const until = Date.now() + HOUR;
  book.ban({ prefix, target, jail: "", reason: "", since, until, origin: "local" });
}
