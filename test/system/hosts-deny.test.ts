import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { parsePrefix } from "../../src/core/prefix.ts";
import { FOREVER, HOUR } from "../../src/core/time.ts";
import type { Enforcement } from "../../src/enforce/enforcer.ts";
import type { HostsDenyTarget } from "../../src/enforce/hosts-deny/kind.ts";
import { HostsDenyEnforcer } from "../../src/enforce/hosts-deny/enforcer.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { hasProgram, titled } from "../support/namespace.ts";

const folder = mkdtempSync(join(tmpdir(), "stoplog-hosts-deny-"));
const path = join(folder, "hosts.deny");
beforeEach(() => writeFileSync(path, ""));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

enforcerConformance("hosts.deny", {
  make: () => new HostsDenyEnforcer(),
  outlives: true,
  bounded: false,
  tolerance: 1000,
  rounds: 30,
  targets: [target("default"), target("slow", "sshd"), target("web")],
  change: (same) => ({ ...same, services: "sshd, vsftpd" }) as HostsDenyTarget,
});

describe("the file hosts.deny", () => {
  it("keeps the operator's lines and the file's permissions", async () => {
    const own = "# mine\nALL: 203.0.113.7\n\n# \xe9t\xe9\nno end";
    writeFileSync(path, Buffer.from(own, "latin1"));
    chmodSync(path, 0o640);
    const enforcer = new HostsDenyEnforcer();
    await enforcer.open([target("default")]);
    await enforcer.apply([ban("192.0.2.1", FOREVER)], Date.now());
    expect(readFileSync(path, "latin1")).toBe(`${own}\n# stoplog:0 default\nALL: 192.0.2.1\n`);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    await enforcer.close({ flush: true });
    expect(readFileSync(path, "latin1")).toBe(`${own}\n`);
  });

  it.each<[string, () => void]>([
    ["truncates the file", () => writeFileSync(path, "")],
    ["removes the file", () => rmSync(path)],
    [
      "removes one ban",
      () => writeFileSync(path, readFileSync(path, "utf8").replace(/.*stoplog.*\n.*192\.0\.2\.1\n/, "")),
    ],
    ["changes a ban", () => writeFileSync(path, readFileSync(path, "utf8").replace("ALL: 192", "sshd: 192"))],
  ])("gets its bans back after another program %s", async (_, harm) => {
    const enforcer = new HostsDenyEnforcer();
    await enforcer.open([target("default")]);
    const bans = [ban("192.0.2.1", FOREVER), ban("192.0.2.2", FOREVER)];
    await enforcer.replace(bans, Date.now());
    const whole = readFileSync(path, "utf8");
    expect(await enforcer.missing()).toBeNull();
    harm();
    expect(await enforcer.missing()).toBe(`another program removed or changed bans in ${path}`);
    await expect(enforcer.apply([ban("192.0.2.3", FOREVER)], Date.now())).rejects.toThrow(
      "Cannot change bans: another program removed",
    );
    await enforcer.open([target("default")]);
    await enforcer.replace(bans, Date.now());
    expect(readFileSync(path, "utf8")).toBe(whole);
    expect(await enforcer.missing()).toBeNull();
  });

  it("may be edited around our bans", async () => {
    const enforcer = new HostsDenyEnforcer();
    await enforcer.open([target("default")]);
    await enforcer.replace([ban("192.0.2.1", FOREVER)], Date.now());
    writeFileSync(path, `ALL: 203.0.113.7\n${readFileSync(path, "utf8")}# the end\n`);
    expect(await enforcer.missing()).toBeNull();
    await enforcer.apply([ban("192.0.2.2", FOREVER)], Date.now());
    expect(readFileSync(path, "utf8")).toMatch(/^ALL: 203\.0\.113\.7\n# the end\n/);
  });

  it("has no effect where hosts.allow lets all clients in, which is reported", async () => {
    const allow = join(folder, "hosts.allow");
    const enforcer = new HostsDenyEnforcer();
    await enforcer.open([target("default", "sshd")]);
    expect(enforcer.obstacles()).toEqual([]);
    const sentence = (line: string): string =>
      `Banned addresses are let in: ${allow} has '${line}', which services read first`;
    for (const line of ["ALL: ALL", "sshd : ALL", "vsftpd, sshd: 192.0.2.1 ALL : allow"]) {
      writeFileSync(allow, `# all\n${line}\n`);
      expect(enforcer.obstacles()).toEqual([sentence(line)]);
    }
    for (const line of [
      "vsftpd: ALL",
      "sshd: 10.0.0.0/8",
      "ALL: ALL EXCEPT 192.0.2.1",
      "#sshd: ALL",
      "ALL: ALL: deny",
    ]) {
      writeFileSync(allow, `${line}\n`);
      expect(enforcer.obstacles()).toEqual([]);
    }
    rmSync(allow);
    expect(enforcer.obstacles()).toEqual([]);
  });

  it("refuses bans beyond its limit [limit: hostsDeny]", async () => {
    const enforcer = new HostsDenyEnforcer(2);
    await enforcer.open([target("default")]);
    const bans = [1, 2, 3].map((i) => ban(`192.0.2.${i}`, FOREVER));
    const refusals = await enforcer.apply(bans, Date.now());
    expect(refusals.map(({ fact }) => fact)).toEqual([
      `Cannot ban 192.0.2.3 at default: ${path} holds 2 bans, which services read for each connection`,
    ]);
    expect(await enforcer.list()).toHaveLength(2);
    // A longer ban of the same address is not new: it keeps its place in a full file.
    const now = Date.now();
    const [first, , third] = bans as [Enforcement, Enforcement, Enforcement];
    const refused = await enforcer.apply([third, { ...first, until: now + HOUR } as Enforcement], now);
    expect(refused.map(({ prefix }) => prefix)).toEqual([third.prefix]);
  });

  it("reports that it may not write the file", async () => {
    const enforcer = new HostsDenyEnforcer();
    const nowhere = { ...target("default"), path: join(folder, "no", "hosts.deny") };
    await expect(enforcer.open([nowhere])).rejects.toThrow(
      /^Cannot write .*no\/hosts.deny: no such file or directory/,
    );
  });
});

const fault = hasProgram("tcpdmatch") ? null : "needs tcpdmatch of the package tcpd";

describe.skipIf(fault !== null)(titled("tcp_wrappers", fault), () => {
  it("denies the addresses in the file and no others", async () => {
    writeFileSync(join(folder, "hosts.allow"), "");
    const enforcer = new HostsDenyEnforcer();
    await enforcer.open([target("default"), target("slow", "vsftpd, sshd")]);
    const until = Date.now() + HOUR;
    const bans = ["192.0.2.1", "198.51.100.64/26", "2001:db8::1", "2001:db8:1::/48"].map((text) =>
      ban(text, until),
    );
    await enforcer.apply([...bans, { ...ban("203.0.113.1", until), target: "slow" }], Date.now());
    const asked = [
      ["sshd", "192.0.2.1"],
      ["sshd", "192.0.2.2"],
      ["any", "198.51.100.127"],
      ["any", "198.51.100.128"],
      ["any", "2001:db8::1"],
      ["any", "2001:db8::2"],
      ["any", "2001:db8:1:2::3"],
      ["sshd", "203.0.113.1"],
      ["other", "203.0.113.1"],
    ] as const;
    const answers = asked.map(([service, address]) => tcpdmatch(service, address));
    expect(answers).toEqual([
      "denied",
      "granted",
      "denied",
      "granted",
      "denied",
      "granted",
      "denied",
      "denied",
      "granted",
    ]);
  });
});

function tcpdmatch(service: string, address: string): string {
  const { stdout } = spawnSync("tcpdmatch", ["-d", service, address], { cwd: folder, encoding: "utf8" });
  return /access: +(\w+)/.exec(stdout)?.[1] ?? stdout;
}

function target(name: string, services = "ALL"): HostsDenyTarget {
  return { name, enforcer: "hosts.deny", path, services };
}

function ban(text: string, until: number): Extract<Enforcement, { kind: "ban" }> {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return { kind: "ban", prefix, target: "default", until };
}
