import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import type { Config, TargetConfig } from "../config/config.ts";
import { parsePrefix } from "../core/prefix.ts";
import { HOUR, SECOND } from "../core/time.ts";
import type { CommandTarget } from "../enforce/command/kind.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import type { HostsDenyTarget } from "../enforce/hosts-deny/kind.ts";
import { Targets } from "./targets.ts";

describe("Targets", () => {
  let folder: string;
  let warnings: string[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-targets-"));
    warnings = [];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const target = (...enforcers: readonly TargetSpec[]): TargetConfig => ({
    name: "default",
    bantime: null,
    resetConnections: false,
    enforcers,
  });
  const deny = (name = "hosts.deny"): HostsDenyTarget => ({
    name: "default",
    enforcer: "hosts.deny",
    path: join(folder, name),
    services: "ALL",
  });
  const command = (start: readonly string[], ban: readonly string[] = ["true"]): CommandTarget => ({
    name: "default",
    enforcer: "command",
    start,
    stop: null,
    ban,
    unban: ["true"],
    batch: false,
    timeout: 5000,
    parallel: 1,
  });
  const read = (): string => readFileSync(join(folder, "hosts.deny"), "latin1");

  async function open() {
    const book = new Book({ capacity: 100, changes: 100 });
    const say = (sentence: string) => warnings.push(sentence);
    const deps = {
      now: () => Date.now(),
      sleep: () => Promise.resolve(),
      warn: say,
      log: { error: say, warn: say, info: say, debug: say },
    };
    const made = new Targets({ ...deps, book, dryRun: false });
    await made.follow({ config: { targets: [target(deny())] } });
    return { made, book };
  }

  async function banning() {
    const { made, book } = await open();
    await made.resync();
    const ban = (address: string): void => {
      const prefix = parsePrefix(address);
      if (prefix === null) throw new Error(address);
      const since = Date.now();
      book.ban({
        prefix,
        target: "default",
        jail: "",
        reason: "",
        since,
        until: since + HOUR,
        origin: "local",
      });
    };
    ban("192.0.2.1");
    await made.caughtUp();
    return { made, ban };
  }

  it("keeps the old bans when the new target cannot be opened, and does not retry it", async () => {
    const { made, ban } = await banning();
    await expect(made.follow({ config: { targets: [target(command(["false"]))] } })).rejects.toThrow(
      "Cannot start target default",
    );
    expect(read()).toContain("ALL: 192.0.2.1");
    await made.follow({ config: { targets: [target(deny())] } });
    ban("192.0.2.2");
    await made.caughtUp();
    expect(read()).toContain("ALL: 192.0.2.2");
    expect(warnings).toEqual([]);
    await made.close({ flush: true });
  });

  it("bans at the new enforcer before it unbans at the old one", async () => {
    const { made } = await banning();
    const copy = join(folder, "copy");
    await made.follow({
      config: { targets: [target(command(["true"], ["cp", join(folder, "hosts.deny"), copy]))] },
    });
    expect(readFileSync(copy, "latin1")).toContain("ALL: 192.0.2.1");
    expect(read()).not.toContain("192.0.2.1");
    await made.close({ flush: true });
  });

  it("leaves the bans of an earlier run alone until the book is restored", async () => {
    const { made: earlier } = await banning();
    await earlier.close({ flush: false });
    const { made } = await open();
    await made.close({ flush: false });
    expect(read()).toContain("ALL: 192.0.2.1");
    const { made: restored } = await open();
    await restored.resync();
    expect(read()).not.toContain("192.0.2.1");
    await restored.close({ flush: true });
  });

  it("writes all bans again when the clock was set, and not after a late first tick", async () => {
    const { made } = await banning();
    const resyncs = () => made.all.map(({ stats }) => stats.resyncs);
    const before = resyncs();
    made.tick(100 * SECOND);
    made.tick(101 * SECOND);
    made.tick(107 * SECOND);
    await made.caughtUp();
    expect(resyncs()).toEqual(before);
    made.tick(HOUR);
    await made.caughtUp();
    expect(resyncs()).toEqual(before.map((n) => n + 1));
    expect(warnings).toEqual(["The clock was set by 3492 s or the machine slept: writing all bans again"]);
    await made.close({ flush: true });
  });

  it("refuses two enforcers that write the same table", async () => {
    const { made } = await banning();
    const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
    const both = (["nftables", "nft"] as const).map((enforcer) => ({ name: "default", enforcer, ...match }));
    await expect(made.follow({ config: { targets: [target(...both)] } })).rejects.toThrow(
      "both write the table",
    );
    expect(read()).toContain("192.0.2.1");
    await made.close({ flush: true });
  });

  it("opens Stoplog's own table with the first ban there, when only orders by hand can ban at it", async () => {
    const { made, book } = await open();
    await made.close({ flush: false });
    const say = (sentence: string) => warnings.push(sentence);
    const opened = new Targets({
      now: () => Date.now(),
      sleep: () => Promise.resolve(),
      warn: say,
      log: { error: say, warn: say, info: say, debug: say },
      book,
      dryRun: false,
    });
    const packets = {
      name: "table",
      enforcer: "nftables",
      verdict: { kind: "drop" },
      ports: [],
      protocols: [],
    };
    const config = {
      targets: [target(deny()), { ...target(packets), name: "table" }],
      origins: [{ target: "default" }] as unknown as Config["origins"],
    };
    await opened.follow({ config });
    await opened.resync();
    expect(opened.all.map(({ enforcer }) => enforcer.kind)).toEqual(["hosts.deny"]);
    expect(await opened.holds()).toBe(true);
    await opened.close({ flush: true });
  });
});
