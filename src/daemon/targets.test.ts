import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
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
import { until } from "../../test/support/waiting.ts";
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

  function newTargets() {
    const book = new Book({ capacity: 100, changes: 100 });
    const say = (sentence: string) => warnings.push(sentence);
    const deps = {
      now: () => Date.now(),
      sleep: () => Promise.resolve(),
      warn: say,
      log: { error: say, warn: say, info: say, debug: say },
    };
    const targets = new Targets({ ...deps, book, dryRun: false });
    const ban = (address: string, at = "default"): void => {
      const prefix = parsePrefix(address);
      if (prefix === null) throw new Error(address);
      const since = Date.now();
      const until = since + HOUR;
      book.ban({ prefix, target: at, jail: "", reason: "", since, until, origin: "local" });
    };
    return { targets, book, ban };
  }

  async function open() {
    const { targets: made, ban, book } = newTargets();
    await made.follow({ config: { targets: [target(deny())] } }, "start");
    return { made, ban, book };
  }

  async function banning() {
    const { made, ban } = await open();
    await made.resync();
    ban("192.0.2.1");
    await made.caughtUp();
    return { made, ban };
  }

  it("keeps the old bans when the new target cannot be opened, and does not retry it", async () => {
    const { made, ban } = await banning();
    await expect(
      made.follow({ config: { targets: [target(command(["false"]))] } }, "reload"),
    ).rejects.toThrow("Cannot start target default");
    expect(read()).toContain("ALL: 192.0.2.1");
    await made.follow({ config: { targets: [target(deny())] } }, "rollback");
    ban("192.0.2.2");
    await made.caughtUp();
    expect(read()).toContain("ALL: 192.0.2.2");
    expect(warnings).toEqual([]);
    await made.close({ flush: true });
  });

  it("bans at the new enforcer before it unbans at the old one", async () => {
    const { made } = await banning();
    const copy = join(folder, "copy");
    await made.follow(
      {
        config: { targets: [target(command(["true"], ["cp", join(folder, "hosts.deny"), copy]))] },
      },
      "reload",
    );
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

  const named = (name: string, spec: TargetSpec): TargetConfig => ({
    ...target({ ...spec, name }),
    name,
  });

  it("enforces at the other targets when one cannot be opened, and at it once it can", async () => {
    const made = newTargets();
    const marker = join(folder, "there");
    const config = {
      targets: [
        named("good", deny()),
        named("no program", command(["test", "-e", marker])),
        named("no folder", deny("missing/hosts.deny")),
      ],
    };
    await made.targets.follow({ config }, "start");
    await made.targets.resync();
    made.ban("192.0.2.1", "good");
    made.ban("192.0.2.2", "no folder");
    await made.targets.caughtUp();
    expect(read()).toContain("192.0.2.1");
    const troubles = (): readonly string[] => made.targets.troubles().map(({ of }) => of);
    expect(troubles()).toEqual(["target no folder", "target no program"]);
    expect(await made.targets.holds()).toBe(false);
    // A reload is not refused for what was in trouble before, and is for a new target.
    await made.targets.follow({ config }, "reload");
    const more = { targets: [...config.targets, named("new", deny("nowhere/hosts.deny"))] };
    await expect(made.targets.follow({ config: more }, "reload")).rejects.toThrow("nowhere");
    await made.targets.follow({ config }, "rollback");
    expect(troubles()).toEqual(["target no folder", "target no program"]);
    mkdirSync(join(folder, "missing"));
    writeFileSync(marker, "");
    for (let second = 1; second <= 5 && troubles().length > 0; second++) {
      made.targets.tick(second * SECOND);
      await until("the tries are over", () => made.targets.all.length > 0);
      await made.targets.caughtUp();
    }
    await until("both are open", () => troubles().length === 0);
    await made.targets.caughtUp();
    expect(readFileSync(join(folder, "missing/hosts.deny"), "latin1")).toContain("192.0.2.2");
    await made.targets.close({ flush: true });
  });

  it("adopts what a target holds that opens late, when the book may lack it", async () => {
    mkdirSync(join(folder, "late"));
    const earlier = newTargets();
    const config = { targets: [named("good", deny()), named("late", deny("late/hosts.deny"))] };
    await earlier.targets.follow({ config }, "start");
    await earlier.targets.resync();
    earlier.ban("192.0.2.9", "late");
    await earlier.targets.caughtUp();
    await earlier.targets.close({ flush: false });
    renameSync(join(folder, "late"), join(folder, "away"));
    const made = newTargets();
    await made.targets.follow({ config }, "start");
    expect(await made.targets.leftOver(Date.now())).toEqual([]);
    await made.targets.resync();
    renameSync(join(folder, "away"), join(folder, "late"));
    made.targets.tick(1 * SECOND);
    made.targets.tick(3 * SECOND);
    await until("it is open", () => made.targets.troubles().length === 0);
    await until("the ban is adopted", () => made.book.size === 1);
    await made.targets.caughtUp();
    expect(readFileSync(join(folder, "late/hosts.deny"), "latin1")).toContain("192.0.2.9");
    await made.targets.close({ flush: true });
  });

  it("does not start when no target can be opened, and leaves everything as it was", async () => {
    const made = newTargets();
    const config = { targets: [named("a", deny("no/file")), named("b", command(["false"]))] };
    await expect(made.targets.follow({ config }, "start")).rejects.toThrow("Cannot write");
    await made.targets.close({ flush: false });
  });

  it("refuses two enforcers that write the same table", async () => {
    const { made } = await banning();
    const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
    const both = (["nftables", "nft"] as const).map((enforcer) => ({ name: "default", enforcer, ...match }));
    await expect(made.follow({ config: { targets: [target(...both)] } }, "reload")).rejects.toThrow(
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
