import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kindOf } from "../enforce/kinds.ts";
import { good } from "../../test/support/read-config-text.ts";
import type { Settings } from "./feature.ts";
import { Locks, lockSocket } from "./locks.ts";

describe("Locks", () => {
  let folder: string;
  let made: Locks[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-locks-"));
    made = [];
  });
  afterEach(() => {
    for (const locks of made) locks.close();
    rmSync(folder, { recursive: true });
  });

  const settings = (targets: string): Settings => {
    const config = good(`targets: { default: { enforcer: dry-run }, ${targets} }\n`);
    return { config, filters: new Map() };
  };
  const locks = (stateDirectory: string | null = null, dryRun = false): Locks => {
    const one = new Locks({ stateDirectory, dryRun, folder });
    made.push(one);
    return one;
  };
  const file = (name: string): string => `a: { enforcer: hosts.deny, path: ${join(folder, name)} }`;

  it("gives a state directory to one daemon, whatever it enforces, and names that one", () => {
    locks(folder).follow(settings(""));
    expect(() => locks(folder, true).follow(settings(""))).toThrow(
      `Cannot use the state directory ${folder}: process ${process.pid} uses it`,
    );
  });

  it.each([
    ["a: { enforcer: hosts.deny, path: /tmp/stoplog-test/hosts.deny }", "/tmp/stoplog-test/hosts.deny"],
    ["a: { enforcer: proxy, format: nginx-deny, path: /tmp/stoplog-test/deny }", "/tmp/stoplog-test/deny"],
    ["a: { enforcer: ipset, sets: [stoplog_test] }", "ipset stoplog_test"],
    ["stoplog-test: { enforcer: ipset }", "ipsets of target stoplog-test"],
    ["a: { enforcer: nftables, sets: [inet filter stoplog_test] }", "set inet filter stoplog_test"],
    ["a: { enforcer: recent, list: STOPLOG_TEST }", "list STOPLOG_TEST of xt_recent"],
  ])("gives each place to one daemon: %s", (target, place) => {
    locks().follow(settings(target));
    expect(() => locks().follow(settings(target))).toThrow(
      `Cannot use ${place}: process ${process.pid} uses it`,
    );
    locks(null, true).follow(settings(target));
  });

  it("knows the places of the kinds that write one for all their targets", () => {
    const { config } = settings(
      "n: { enforcer: nftables }, i: { enforcer: iptables }, r: { enforcer: route }",
    );
    const places = config.targets.flatMap(({ enforcers }) =>
      enforcers.map((spec) => kindOf(spec).places?.(spec) ?? kindOf(spec).owns ?? []),
    );
    expect(places.flat()).toEqual(["the table inet stoplog", "chains of iptables", "routes"]);
  });

  const others = (rest: string): Settings => {
    const config = good(
      `targets: { default: { enforcer: nftables }, dry: { enforcer: dry-run } }\n${rest}\n`,
    );
    // What the targets write is locked as well.
    return { config: { ...config, targets: [] }, filters: new Map() };
  };

  it.each([
    ["the table inet stoplog_lists", "lists: { bad: { file: /tmp/bad.txt } }"],
    [
      "the table inet stoplog_kernel",
      "jails: { syn: { packets: { protocol: tcp, ports: 22 }, offload: kernel, maxretry: 5, findtime: 1m, bantime: 1m } }",
    ],
    [
      "the table inet stoplog_log",
      `sources: { syn: { type: nflog, group: 5, install: true } }
jails: { syn: { sources: syn, packets: { protocol: tcp, ports: 22 }, maxretry: 5, findtime: 1m } }`,
    ],
  ])("gives %s to one daemon, and says whether it is free", (table, rest) => {
    const [first, second] = [locks(), locks()];
    expect(second.isFree(table)).toBe(true);
    first.follow(others(rest));
    expect([first.isFree(table), second.isFree(table)]).toEqual([true, false]);
    expect(() => second.follow(others(rest))).toThrow(`Cannot use ${table}: process ${process.pid} uses it`);
    locks(null, true).follow(others(rest));
    first.close();
    second.follow(others(rest));
  });

  it("leaves no file of a lock that is released", () => {
    locks(folder).follow(settings(""));
    expect(readdirSync(folder)).toContain("lock");
    made[0]?.close();
    expect(readdirSync(folder)).not.toContain("lock");
  });

  it("keeps a lock that a reload drops until the reload is done, and takes nothing away from it when refused", () => {
    const first = locks();
    first.follow(settings(file("one")));
    const second = locks();
    second.follow(settings(file("two")));
    expect(() => second.follow(settings(file("one")))).toThrow("Cannot use");
    second.follow(settings(file("two")));
    first.follow(settings(file("three")));
    expect(() => second.follow(settings(file("one")))).toThrow("Cannot use");
    first.tick();
    second.follow(settings(file("one")));
  });

  it("says what it cannot lock", () => {
    const one = locks(join(folder, "missing"));
    one.follow(settings(""));
    expect(one.troubles().map(({ sentence }) => sentence)).toEqual([
      `Cannot lock the state directory ${folder}/missing, so another Stoplog may write to it too: no such file or directory (stoplog reload tries again)`,
    ]);
  });

  it("gives a socket's path to one daemon", () => {
    const lock = lockSocket(join(folder, "control.sock"));
    expect(() => lockSocket(join(folder, "control.sock"))).toThrow(
      `another stoplog is running there (process ${process.pid})`,
    );
    lock.release();
    writeFileSync(join(folder, "control.sock.lock"), "");
    lockSocket(join(folder, "control.sock")).release();
  });
});
