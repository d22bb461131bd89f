import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { parsePrefix } from "../../core/prefix.ts";
import { HOUR } from "../../core/time.ts";
import type { Enforcement } from "../enforcer.ts";
import { ProxyEnforcer, type ProxyOptions } from "./enforcer.ts";
import { FORMAT_NAMES, HEADER } from "./formats.ts";
import { proxy, type ProxyTarget } from "./kind.ts";

const NOW = Date.UTC(2026, 11, 1);
let folder = "";
let lost: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-proxy-"));
  lost = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the file of a proxy", () => {
  const LINES = {
    "nginx-deny": ["deny 192.0.2.1;", "deny 2001:db8::/32;"],
    "nginx-geo": ["192.0.2.1 1;", "2001:db8::/32 1;"],
    "haproxy-acl": ["192.0.2.1", "2001:db8::/32"],
    "haproxy-map": ["192.0.2.1 1", "2001:db8::/32 1"],
    "apache-require": ["Require not ip 192.0.2.1", "Require not ip 2001:db8::/32"],
    "apache-map": ["192.0.2.1 deny"],
  } as const;

  it.each(FORMAT_NAMES)("has one ban a line in the format %s, and is read back", async (format) => {
    const enforcer = await opened([target({ format })]);
    const refusals = await enforcer.apply([ban("192.0.2.1"), ban("2001:db8::/32")], NOW);
    expect(refusals.map(({ fact }) => fact)).toEqual(
      format === "apache-map"
        ? ["Cannot ban 2001:db8::/32 at web: apache-map holds single addresses only"]
        : [],
    );
    await enforcer.close({ flush: false });
    expect(text()).toBe(HEADER + LINES[format].map((line) => `${line}\n`).join(""));
    const next = await opened([target({ format })]);
    expect(await next.list()).toHaveLength(LINES[format].length);
    await next.close({ flush: true });
    expect(text()).toBe(HEADER);
  });

  it("is written at most once a second, however many bans come", async () => {
    const enforcer = await opened([target()], { writeEvery: 200 });
    const inodes = new Set<number>();
    for (let i = 0; i < 100; i++) {
      await enforcer.apply([ban(`192.0.2.${i}`)], NOW);
      inodes.add(statSync(path()).ino);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(inodes.size).toBeLessThan(10);
    await expect.poll(() => text().split("\n")).toHaveLength(102);
  });

  it("has the permissions of its target", async () => {
    await opened([target({ mode: 0o640 })]);
    expect(statSync(path()).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(["banned"]);
  });

  it("is written again when another program edits or removes it", async () => {
    const enforcer = await opened([target()]);
    await enforcer.replace([ban("192.0.2.1")], NOW);
    const before = text();
    expect(await enforcer.missing()).toBeNull();
    for (const harm of [() => writeFileSync(path(), "deny all;\n"), () => rmSync(path())]) {
      harm();
      expect(await enforcer.missing()).toBe(`another program changed or removed ${path()}`);
      await enforcer.open([target()], (fact) => lost.push(fact));
      await enforcer.replace([ban("192.0.2.1")], NOW);
      expect(text()).toBe(before);
      expect(await enforcer.missing()).toBeNull();
    }
  });

  it("is not taken from another program, nor written through a link", async () => {
    const enforcer = new ProxyEnforcer();
    writeFileSync(path(), "http { }\n");
    await expect(enforcer.open([target()], noLoss)).rejects.toThrow(
      `Cannot use ${path()}: Stoplog did not write it; remove it, or name another path`,
    );
    expect(text()).toBe("http { }\n");
    rmSync(path());
    symlinkSync("/etc/passwd", path());
    await expect(enforcer.open([target()], noLoss)).rejects.toThrow(
      `Cannot use ${path()}: it is a symbolic link`,
    );
    rmSync(path());
    mkdirSync(path());
    await expect(enforcer.open([target()], noLoss)).rejects.toThrow(`Cannot use ${path()}: it is not a file`);
    const nowhere = target({ path: join(folder, "no", "banned") });
    await expect(enforcer.open([nowhere], noLoss)).rejects.toThrow(
      /^Cannot write .*no\/banned: no such file or directory/,
    );
  });

  it("belongs to one target", async () => {
    const enforcer = new ProxyEnforcer();
    await expect(enforcer.open([target(), target({ name: "other" })], noLoss)).rejects.toThrow(
      `Cannot use ${path()}: it is named twice`,
    );
  });

  it("is removed when the reload that asked for it is refused, unless it was there or held a ban", async () => {
    const first = target({ path: join(folder, "first") });
    const second = target({ name: "second", path: join(folder, "second") });
    const enforcer = await opened([first]);
    await enforcer.open([first, second], () => undefined);
    await enforcer.replace([], NOW);
    expect(existsSync(second.path)).toBe(true);
    await enforcer.open([first], () => undefined);
    expect(existsSync(second.path)).toBe(false);
    await enforcer.open([first, second], () => undefined);
    await enforcer.apply([{ ...ban("192.0.2.1"), target: "second" }], NOW);
    await enforcer.open([first], () => undefined);
    expect(readFileSync(second.path, "utf8")).toBe(HEADER);
    await enforcer.close({ flush: false });
  });

  it("is emptied when its target is gone", async () => {
    const enforcer = await opened([target()]);
    await enforcer.apply([ban("192.0.2.1")], NOW);
    const other = join(folder, "other");
    await enforcer.open([target({ path: other })], noLoss);
    expect(text()).toBe(HEADER);
    expect(existsSync(other)).toBe(true);
  });

  it("holds a bounded number of bans; in a full file a held ban keeps its place [limit: proxyFile]", async () => {
    const enforcer = await opened([target()], { capacity: 2 });
    const refused = await enforcer.apply(["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(ban), NOW);
    expect(refused.map(({ fact }) => fact)).toEqual([`Cannot ban 192.0.2.3 at web: ${path()} holds 2 bans`]);
    const again = await enforcer.replace(["192.0.2.4", "192.0.2.2", "192.0.2.1"].map(ban), NOW);
    expect(again.map(({ fact }) => fact)).toEqual([`Cannot ban 192.0.2.4 at web: ${path()} holds 2 bans`]);
  });

  it("holds fewer where the proxy compares each request with all of them [limit: proxyRules]", async () => {
    const enforcer = await opened([target({ format: "nginx-deny" })]);
    const bans = Array.from({ length: 5001 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`));
    const refused = await enforcer.apply(bans, NOW);
    expect(refused.map(({ fact }) => fact)).toEqual([
      `Cannot ban 10.0.19.136 at web: ${path()} holds 5000 bans`,
    ]);
  });
});

describe("the target of a proxy", () => {
  it("is described with the rights that it needs", () => {
    const options = {
      path: "/var/lib/stoplog/banned",
      format: "haproxy-acl",
      socket: "/run/haproxy.sock",
    } as const;
    expect(proxy.describe(target(options))).toBe(
      "haproxy-acl in /var/lib/stoplog/banned, socket /run/haproxy.sock; needs write access to /var/lib/stoplog and /run/haproxy.sock",
    );
  });
});

describe("the reload of a proxy", () => {
  it("runs after bans changed the file, and once more when bans came while it ran", async () => {
    const reload = ["sh", "-c", `cp ${path()} ${folder}/seen; echo x >> ${folder}/runs; sleep 0.1`];
    const enforcer = await opened([target({ reload })]);
    expect(existsSync(join(folder, "runs"))).toBe(false);
    await enforcer.replace([ban("192.0.2.1")], NOW);
    expect(runs()).toBe(1);
    await enforcer.replace([ban("192.0.2.1")], NOW);
    expect(runs()).toBe(1);
    await enforcer.apply([ban("192.0.2.2")], NOW);
    await expect.poll(runs).toBe(2);
    for (let i = 3; i < 20; i++) await enforcer.apply([ban(`192.0.2.${i}`)], NOW);
    await enforcer.close({ flush: false });
    expect(readFileSync(join(folder, "seen"), "utf8")).toBe(text());
    expect(runs()).toBeLessThanOrEqual(5);
  });

  it("is told as trouble when it fails or takes too long, and tried again", async () => {
    const reload = ["sh", "-c", `test -e ${folder}/good || { echo it is broken >&2; exit 3; }`];
    const enforcer = await opened([target({ reload })]);
    const fact = "Cannot reload the proxy of target web: sh exited with 3: it is broken";
    await expect(enforcer.replace([ban("192.0.2.1")], NOW)).rejects.toThrow(fact);
    await expect(enforcer.replace([ban("192.0.2.1")], NOW)).rejects.toThrow(fact);
    expect(lost).toEqual([]);
    await enforcer.apply([ban("192.0.2.2")], NOW);
    await expect.poll(() => lost).toEqual([fact]);
    writeFileSync(join(folder, "good"), "");
    expect(await enforcer.replace([ban("192.0.2.1")], NOW)).toEqual([]);
    const slow = await opened([target({ path: join(folder, "slow"), reload: ["sleep", "60"], timeout: 50 })]);
    await expect(slow.replace([], NOW)).rejects.toThrow("sleep took longer than");
  });
});

function runs(): number {
  return readFileSync(join(folder, "runs"), "utf8").length / 2;
}

function path(): string {
  return join(folder, "banned");
}

function text(): string {
  return readFileSync(path(), "utf8");
}

async function opened(targets: readonly ProxyTarget[], options: ProxyOptions = {}): Promise<ProxyEnforcer> {
  const enforcer = new ProxyEnforcer({ writeEvery: 1, ...options });
  onTestFinished(() => enforcer.close({ flush: false }).catch(() => undefined));
  await enforcer.open(targets, (fact) => lost.push(fact));
  return enforcer;
}

function target(options: Partial<ProxyTarget> = {}): ProxyTarget {
  return {
    name: "web",
    enforcer: "proxy",
    format: "nginx-geo",
    path: path(),
    mode: 0o644,
    reload: null,
    reloadEvery: 1,
    socket: null,
    timeout: 10_000,
    ...options,
  };
}

function ban(address: string): Enforcement {
  const prefix = parsePrefix(address);
  if (prefix === null) throw new Error(`Cannot read ${address}`);
  return { kind: "ban", prefix, target: "web", until: NOW + HOUR };
}

function noLoss(fact: string): void {
  throw new Error(fact);
}
