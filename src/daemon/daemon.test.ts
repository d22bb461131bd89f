import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StatusReply } from "../api/wire.ts";
import { loadConfig } from "../config/load.ts";
import { readWhole } from "../config/reading.ts";
import { systemClock } from "../core/clock.ts";
import { StoplogError } from "../core/errors.ts";
import { SECOND } from "../core/time.ts";
import { openLog } from "../observe/log.ts";
import { Daemon } from "./daemon.ts";
import type { Feature, StatusFragment } from "./feature.ts";
import { type ReadConfig, thaw } from "./read-apart.ts";
import { eventually } from "../../test/support/waiting.ts";

/** Every key of the status; the compiler refuses a list that misses one. */
const STATUS_KEYS: Readonly<Record<keyof StatusReply, true>> = {
  version: true,
  ignoreip: true,
  ignorecommand: true,
  state: true,
  pid: true,
  since: true,
  config: true,
  imported: true,
  dryRun: true,
  memoryBytes: true,
  enforcers: true,
  connections: true,
  book: true,
  sources: true,
  jails: true,
  lists: true,
  notify: true,
  api: true,
  metrics: true,
  feed: true,
  publishers: true,
  origins: true,
  held: true,
  allows: true,
  trusted: true,
  names: true,
  control: true,
  fail2ban: true,
  log: true,
  loop: true,
  evidence: true,
  troubles: true,
  warnings: true,
};

describe("Daemon", () => {
  let folder: string;
  /** What the features of the test did, in order. */
  let calls: string[];
  let running: Daemon[];
  let maxretry: number;
  let sources: Record<string, object>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-daemon-"));
    calls = [];
    running = [];
    maxretry = 1;
    sources = { auth: { type: "file", path: join(folder, "auth.log") } };
    writeFileSync(join(folder, "auth.log"), "");
  });
  afterEach(async () => {
    for (const daemon of running) await daemon.stop({ flush: false });
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes a configuration with these jails and reads it as the daemon's other process does. */
  function read(...jails: readonly string[]): Promise<ReadConfig> {
    const path = join(folder, "stoplog.yaml");
    const jail = {
      sources: Object.keys(sources),
      filter: { failregex: ["^fail <HOST>$"] },
      maxretry,
      bantime: "1h",
      ignoreself: false,
    };
    const yaml = {
      state: join(folder, "state"),
      sources,
      targets: { default: { enforcer: "hosts.deny", path: join(folder, "hosts.deny") } },
      jails: Object.fromEntries(jails.map((name) => [name, jail])),
    };
    writeFileSync(path, JSON.stringify(yaml));
    return thaw(readWhole(loadConfig(path)));
  }

  /** A daemon with the jails `first`; a reload finds the jails `next`. */
  async function make(
    first: readonly string[],
    next: readonly string[],
    features: readonly Feature[] = [],
  ): Promise<Daemon> {
    const { config, errors, filters } = await read(...first);
    if (config === null) throw new Error(errors.join("\n"));
    const stats = { written: 0, lost: 0 };
    const daemon = new Daemon(
      { config, filters },
      {
        clock: systemClock,
        log: openLog({ level: "error", format: "text", fd: -1 }, stats),
        logStats: stats,
        logging: { level: "error" },
        controlStats: { turnedAway: 0, tooLong: 0 },
        version: "0.0.0",
        dryRun: false,
        lockFolder: folder,
        reread: () => read(...next),
        handOver: () => undefined,
      },
      features,
    );
    running.push(daemon);
    return daemon;
  }

  /** The lines of the saved progress. */
  function saved(): readonly string[] {
    return readFileSync(join(folder, "state", "progress"), "utf8").split("\n");
  }

  /** Appends a line to the log once the daemon follows it, and waits for the number of bans. */
  async function fail(daemon: Daemon, address: string, bans: number): Promise<void> {
    await eventually(() => expect(daemon.status(null)?.sources[0]?.state).toMatch(/^follow/));
    appendFileSync(join(folder, "auth.log"), `fail ${address}\n`);
    await eventually(() => expect([...daemon.bans()]).toHaveLength(bans));
  }

  /** A feature that no other file knows. */
  function beacon(): Feature {
    let jails = 0;
    return {
      name: "beacon",
      follow: ({ config }) => {
        jails = config.jails.length;
        calls.push(`beacon follows ${config.jails.map(({ name }) => name).join(" ")}`);
      },
      tick: (now) => void calls.push(`beacon ticks ${Math.abs(now - Date.now()) < SECOND ? "now" : "late"}`),
      status: () => ({ beacon: { jails } }) as StatusFragment,
      warnings: () => ["the beacon is dark"],
      close: ({ flush }) => void calls.push(`beacon closes${flush ? ", flushes" : ""}`),
    };
  }

  /** Refuses every configuration with a jail of that name. */
  function picky(name: string, isEssential = false): Feature {
    return {
      name: "picky",
      isEssential,
      follow: ({ config }) => {
        calls.push("picky follows");
        if (config.jails.some((jail) => jail.name === name)) throw new StoplogError(`no jail ${name} here`);
      },
      close: () => void calls.push("picky closes"),
    };
  }

  it("keeps an order that arrives during the start until the start is done", async () => {
    let finish: (() => void) | null = null;
    const slow: Feature = { name: "slow", follow: () => new Promise((resolve) => void (finish = resolve)) };
    const daemon = await make(["sshd"], ["sshd"], [slow]);
    const starting = daemon.start();
    let answered = false;
    const answer = daemon.ban({ addresses: ["198.51.100.9"] }).finally(() => (answered = true));
    await eventually(() => expect(finish).not.toBeNull());
    expect(answered).toBe(false);
    finish!();
    await starting;
    expect((await answer).results.map(({ outcome }) => outcome)).toEqual(["banned"]);
  });

  it("reads on where it stopped a source that a refused reload had taken away", async () => {
    let refuses = false;
    const last: Feature = {
      name: "last",
      follow: () => (refuses ? Promise.reject(new StoplogError("Cannot go on: no")) : undefined),
    };
    const daemon = await make(["sshd"], [], [last]);
    await daemon.start();
    await fail(daemon, "192.0.2.1", 1);
    refuses = true;
    const reload = daemon.reload();
    appendFileSync(join(folder, "auth.log"), "fail 192.0.2.2\n");
    expect((await reload).reloaded).toBe(false);
    await eventually(() => expect([...daemon.bans()]).toHaveLength(2));
  });

  it("starts a new feature, ticks it, shows it in the status, reloads it, and closes it in reverse order", async () => {
    const daemon = await make(["one"], ["one", "two"], [beacon(), picky("three")]);
    await daemon.start();
    expect(calls).toEqual(["beacon follows one", "picky follows"]);
    await eventually(() => expect(calls).toContain("beacon ticks now"));
    expect(daemon.status(null)).toMatchObject({ beacon: { jails: 1 } });
    expect(daemon.status(null)?.warnings).toContain("the beacon is dark");
    calls.length = 0;
    expect(await daemon.reload()).toMatchObject({ reloaded: true });
    expect(calls.filter((call) => !call.includes("ticks"))).toEqual([
      "beacon follows one two",
      "picky follows",
    ]);
    expect(daemon.status(null)).toMatchObject({ beacon: { jails: 2 } });
    calls.length = 0;
    await daemon.stop({ flush: true });
    expect(calls.filter((call) => !call.includes("ticks"))).toEqual([
      "picky closes",
      "beacon closes, flushes",
    ]);
  });

  it("keeps what fail2ban's commands change until the next reload", async () => {
    const daemon = await make(["one", "two"], ["one", "two"], [beacon()]);
    const ask = async (...command: readonly string[]) => daemon.fail2ban({ command });
    const names = (): readonly string[] | undefined => daemon.status(null)?.jails.map(({ name }) => name);
    await daemon.start();
    expect(await ask("set", "one", "bantime", "7d")).toEqual({ value: 604_800 });
    await fail(daemon, "192.0.2.1", 1);
    const [ban] = [...daemon.bans()];
    expect(Date.parse(ban?.until ?? "") - Date.parse(ban?.since ?? "")).toBe(604_800 * SECOND);
    // One change after the other, and a reload between them: none is lost, and the reload forgets those before it.
    expect(await Promise.all([ask("stop", "two"), ask("set", "one", "maxretry", "4")])).toEqual([
      { value: null },
      { value: 4 },
    ]);
    expect(names()).toEqual(["one"]);
    expect(await ask("status", "two")).toEqual({
      exception: { type: "UnknownJailException", args: ["two"] },
    });
    expect(await ask("start", "two")).toEqual({ value: null });
    expect(names()).toEqual(["one", "two"]);
    await ask("set", "loglevel", "DEBUG");
    expect(await ask("reload")).toEqual({ value: "OK" });
    expect(await ask("get", "one", "maxretry")).toEqual({ value: 1 });
    expect(await ask("get", "one", "bantime")).toEqual({ value: 3600 });
    expect(await ask("get", "loglevel")).toEqual({ value: "INFO" });
    expect(daemon.status(null)?.fail2ban.commands).toBe(10);
  });

  it("refuses a change that a feature cannot take, and stays as it was", async () => {
    const daemon = await make(
      ["one", "two"],
      [],
      [
        beacon(),
        {
          name: "last",
          follow: ({ config }) => {
            if (config.jails.length === 1) throw new StoplogError("no single jail here");
          },
        },
      ],
    );
    await daemon.start();
    expect(await daemon.fail2ban({ command: ["stop", "two"] })).toEqual({
      exception: { type: "Exception", args: ["no single jail here"] },
    });
    expect(daemon.status(null)?.jails.map(({ name }) => name)).toEqual(["one", "two"]);
    expect(await daemon.fail2ban({ command: ["start", "two"] })).toEqual({ value: null });
  });

  it("rolls every feature back when one refuses the new configuration", async () => {
    const daemon = await make(["one"], ["two", "three"], [beacon(), picky("three")]);
    await daemon.start();
    calls.length = 0;
    expect(await daemon.reload()).toEqual({
      reloaded: false,
      sentences: ["Cannot take the new configuration: no jail three here; the old one stays"],
    });
    expect(calls.filter((call) => !call.includes("ticks"))).toEqual([
      "beacon follows two three",
      "picky follows",
      "beacon follows one",
      "picky follows",
    ]);
    expect(daemon.status(null)).toMatchObject({ beacon: { jails: 1 }, jails: [{ name: "one" }] });
    // The source works for the old jail again.
    await fail(daemon, "203.0.113.1", 1);
    expect([...daemon.bans()]).toMatchObject([{ jail: "one" }]);
  });

  it("closes everything when a feature cannot start, and saves only where its sources begin", async () => {
    const daemon = await make(["three"], ["three"], [beacon(), picky("three", true), beacon()]);
    await expect(daemon.start()).rejects.toThrow("no jail three here");
    expect(calls).toEqual(["beacon follows three", "picky follows", "picky closes", "beacon closes"]);
    expect(saved()).toEqual([expect.stringContaining('"at":0,'), "trusted", ""]);
    await daemon.stop({ flush: false });
    expect(calls).toHaveLength(4);
  });

  it("keeps the counters of a jail that a refused reload changed", async () => {
    maxretry = 2;
    const daemon = await make(["one"], ["one", "three"], [picky("three")]);
    await daemon.start();
    await eventually(() => expect(daemon.status(null)?.sources[0]?.state).toMatch(/^follow/));
    appendFileSync(join(folder, "auth.log"), "fail 203.0.113.1\n");
    await eventually(() => expect(daemon.status(null)?.jails[0]).toMatchObject({ counted: 1, addresses: 1 }));
    maxretry = 5;
    expect(await daemon.reload()).toMatchObject({ reloaded: false });
    expect(daemon.status(null)?.jails[0]).toMatchObject({ maxretry: 2, addresses: 1 });
    appendFileSync(join(folder, "auth.log"), "fail 203.0.113.1\n");
    await eventually(() => expect([...daemon.bans()]).toHaveLength(1));
  });

  it("gives every key of the status, with all jails or one", async () => {
    const daemon = await make(["one", "two"], ["one"]);
    await daemon.start();
    expect(Object.keys(daemon.status(null) ?? {}).toSorted()).toEqual(Object.keys(STATUS_KEYS).toSorted());
    expect(daemon.status("two")?.jails.map(({ name }) => name)).toEqual(["two"]);
    expect(daemon.status("three")).toBeNull();
  });

  it("has on disk where a new source begins, before it reads a line: at the start and after a reload", async () => {
    const seen: (readonly string[])[] = [];
    const positions = (): readonly string[] => {
      const { positions: all } = JSON.parse(saved()[0] ?? "") as { positions: object };
      return Object.keys(all).toSorted();
    };
    const afterSources: Feature = { name: "last", follow: () => void seen.push(positions()) };
    const daemon = await make(["one"], ["one"], [afterSources]);
    await daemon.start();
    sources["web"] = { type: "file", path: join(folder, "web.log") };
    expect(await daemon.reload()).toMatchObject({ reloaded: true });
    expect(seen).toEqual([["auth"], ["auth", "web"]]);
  });

  it("keeps the counters on disk where it adds the beginning of a source", async () => {
    maxretry = 2;
    const first = await make(["one"], ["one"]);
    await first.start();
    await eventually(() => expect(first.status(null)?.sources[0]?.state).toMatch(/^follow/));
    appendFileSync(join(folder, "auth.log"), "fail 203.0.113.1\n");
    await eventually(() => expect(first.status(null)?.jails[0]).toMatchObject({ counted: 1, addresses: 1 }));
    await first.stop({ flush: false });
    const before = saved();
    sources["web"] = { type: "file", path: join(folder, "web.log") };
    const failing = await make(["three"], ["three"], [picky("three", true)]);
    await expect(failing.start()).rejects.toThrow("no jail three here");
    const after = saved();
    expect(JSON.parse(after[0] ?? "")).toHaveProperty("positions.web");
    expect(after.slice(1)).toEqual(before.slice(1));
  });

  it("saves the final positions of the sources, and resumes there", async () => {
    const first = await make(["one"], ["one"]);
    await first.start();
    await fail(first, "203.0.113.1", 1);
    await first.stop({ flush: false });
    const [head = ""] = readFileSync(join(folder, "state", "progress"), "utf8").split("\n");
    expect(JSON.parse(head)).toHaveProperty("positions.auth");
    expect(readFileSync(join(folder, "hosts.deny"), "utf8")).toContain("203.0.113.1");
    appendFileSync(join(folder, "auth.log"), "fail 203.0.113.2\n");
    const second = await make(["one"], ["one"]);
    await second.start();
    await eventually(() => expect([...second.bans()]).toHaveLength(2));
  });
});
