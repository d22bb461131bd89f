import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Book } from "../../src/book/book.ts";
import type { TargetConfig } from "../../src/config/config.ts";
import { systemClock } from "../../src/core/clock.ts";
import { parsePrefix } from "../../src/core/prefix.ts";
import { HOUR } from "../../src/core/time.ts";
import { Targets } from "../../src/daemon/targets.ts";
import { enterNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { good } from "../support/read-config-text.ts";

const fault =
  namespaceFault() ??
  (["nft", "iptables", "ipset"].every(hasProgram) ? null : "needs nft, iptables and ipset");

const folder = mkdtempSync(join(tmpdir(), "stoplog-pairs-"));

/** A target of each kind that keeps something in the kernel, for both of its packets and of others. */
const IN_THE_KERNEL = {
  nftables: "{ enforcer: nftables, verdict: throttle, rate: 10/minute, ports: [22, 80-90] }",
  nft: "{ enforcer: nft, verdict: reject, ports: [22, 80-90] }",
  "nftables with sets": "{ sets: [inet admin theirs4] }",
  ipset: "{ enforcer: ipset }",
  iptables: "{ enforcer: iptables }",
  recent: "{ enforcer: recent, list: PAIRS }",
} as const;
const ELSEWHERE = {
  route: "{ enforcer: route }",
  "hosts.deny": `{ enforcer: hosts.deny, path: ${folder}/hosts.deny }`,
  proxy: `{ enforcer: proxy, format: nginx-geo, path: ${folder}/banned }`,
} as const;
const TARGETS: Readonly<Record<string, string>> = { ...IN_THE_KERNEL, ...ELSEWHERE };

/** Every ordered pair of the first, and each of the others from and to the first of all. */
const PAIRS: readonly (readonly [string, string])[] = [
  ...Object.keys(IN_THE_KERNEL).flatMap((one) =>
    Object.keys(IN_THE_KERNEL)
      .filter((other) => other !== one)
      .map((other) => [one, other] as const),
  ),
  ...Object.keys(ELSEWHERE).flatMap((kind) => [["nftables", kind] as const, [kind, "nftables"] as const]),
];

describe.skipIf(fault !== null)(titled("a reload from one enforcer to another", fault), () => {
  const namespace = enterNamespace("pairs");
  const book = new Book({ capacity: 100, changes: 100 });
  const warnings: string[] = [];
  const warn = (sentence: string): void => void warnings.push(sentence);
  const targets = new Targets({
    book,
    now: systemClock.now,
    sleep: () => Promise.resolve(),
    warn,
    log: { error: warn, warn, info: warn, debug: warn },
    dryRun: false,
  });
  const prefix = parsePrefix("203.0.113.7")!;
  const follow = (kind: string): Promise<void> =>
    targets.follow({ config: { targets: configs.get(kind) as readonly TargetConfig[] } });
  const configs = new Map(
    Object.entries(TARGETS).map(([kind, target]) => [kind, good(`targets: { default: ${target} }`).targets]),
  );

  beforeAll(async () => {
    namespace.feed("table inet admin { set theirs4 { type ipv4_addr; }; }", "nft", "-f", "-");
    namespace.run("iptables", "-A", "INPUT", "-m", "recent", "--name", "PAIRS", "--rcheck", "-j", "DROP");
    await follow("nftables");
    await targets.resync();
    const since = Date.now();
    book.ban({
      prefix,
      target: "default",
      jail: "",
      reason: "",
      since,
      until: since + HOUR,
      origin: "operator",
    });
  });
  afterAll(async () => {
    await targets.close({ flush: true });
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(PAIRS)("%s to %s", async (from, to) => {
    if (!targets.all.some(({ enforcer }) => isOf(enforcer.kind, from))) await follow(from);
    await follow(to);
    expect(targets.all).toHaveLength(1);
    expect((await targets.all[0]!.list()).map((held) => held.prefix)).toEqual([prefix]);
    expect(targets.standing([...book.bans()][0]!)).toEqual({ enforced: true, trouble: null });
    expect(targets.troubles()).toEqual([]);
    // The module of xt_recent has its default size here.
    expect(warnings.splice(0).filter((sentence) => !sentence.startsWith("Lists of xt_recent hold"))).toEqual(
      [],
    );
  });
});

/** Whether an enforcer is what a target of that name has. */
function isOf(kind: string, name: string): boolean {
  return kind === (name === "nftables with sets" ? "nft-set" : name);
}
