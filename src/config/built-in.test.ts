import { describe, expect, it } from "vitest";
import { DAY, type Instant } from "../core/time.ts";
import { builtInConfig } from "./built-in.ts";
import type { Config } from "./config.ts";
import { describeConfig } from "./describe.ts";
import { definitionOf } from "./filters.ts";
import type { Machine } from "./machine.ts";
import { packageRoot } from "./package-root.ts";
import { thisMachine } from "./machine.ts";

const NOW: Instant = Date.UTC(2026, 10, 20, 12);

interface Files {
  readonly [path: string]: "readable" | "denied" | "old";
}

function machine(files: Files, options: Partial<Machine> = {}): Machine {
  return {
    isRoot: true,
    now: NOW,
    hasJournal: false,
    exists: (path) => path in files,
    canRead: (path) => path in files && files[path] !== "denied",
    changedAt: (path) => (path in files ? NOW - (files[path] === "old" ? 30 * DAY : 1000) : null),
    ...options,
  };
}

function build(files: Files, options: Partial<Machine> = {}): Config {
  return builtInConfig(machine(files, options), (name) =>
    definitionOf(name, { failregex: [`${name} <HOST>`] }),
  );
}

describe("builtInConfig()", () => {
  it("watches sshd in auth.log, or in secure", () => {
    for (const path of ["/var/log/auth.log", "/var/log/secure"]) {
      const config = build({ "/usr/sbin/sshd": "readable", [path]: "readable" }, { hasJournal: true });
      expect([...config.sources.values()]).toEqual([{ type: "file", path }]);
      expect(config.notes).toEqual([`sshd is watched in ${path}`]);
    }
  });

  it("takes the schema's defaults", () => {
    const config = build({ "/usr/sbin/sshd": "readable", "/var/log/auth.log": "readable" });
    expect(describeConfig(config)).toEqual([
      "jail sshd: source auth; 5 failures in 10m → 1h at default",
      "target default: nftables, drop",
    ]);
    expect(config).toMatchObject({ path: null, ignoreSelf: true, stateDirectory: "/var/lib/stoplog" });
    expect(config.jails[0]).toMatchObject({ ignoreSelf: true, ipv6Prefix: 64, addresses: 1_000_000 });
  });

  it("reads the journal once for all services without a file", () => {
    const files: Files = {
      "/usr/sbin/sshd": "readable",
      "/usr/sbin/postfix": "readable",
      "/usr/sbin/dovecot": "readable",
      "/var/log/mail.log": "readable",
    };
    const config = build({ ...files, "/usr/sbin/named": "readable" }, { hasJournal: true });
    expect(Object.fromEntries(config.sources)).toEqual({
      journal: { type: "journal", units: ["ssh.service", "sshd.service", "named.service", "bind9.service"] },
      mail: { type: "file", path: "/var/log/mail.log" },
    });
    expect(config.jails.map(({ name, sources }) => [name, ...sources])).toEqual([
      ["sshd", "journal"],
      ["postfix", "mail"],
      ["dovecot", "mail"],
      ["named", "journal"],
    ]);
  });

  it("ignores a log without new lines for weeks when there is a journal", () => {
    const files: Files = { "/usr/sbin/sshd": "readable", "/var/log/auth.log": "old" };
    const config = build(files, { hasJournal: true });
    expect(config.jails[0]?.sources).toEqual(["journal"]);
    expect(config.notes).toEqual([
      "/var/log/auth.log has no new lines for over a week: the journal is read instead",
      "sshd is watched in the journal's ssh.service, sshd.service",
    ]);
    expect(build(files).jails[0]?.sources).toEqual(["auth"]);
  });

  it("watches the log of nginx that attackers cannot forge, also without the program, as in a container", () => {
    const config = build({ "/var/log/nginx/error.log": "readable", "/var/log/nginx/access.log": "readable" });
    expect(config.jails.map(({ name, sources }) => [name, ...sources])).toEqual([
      ["nginx-auth", "nginx-access"],
    ]);
  });

  it("says what it cannot read, and what is missing", () => {
    const config = build({
      "/usr/sbin/sshd": "readable",
      "/usr/sbin/nginx": "readable",
      "/var/log/nginx/access.log": "denied",
    });
    expect(config.notes).toEqual([
      "sshd is installed, but it has no log: none of /var/log/auth.log, /var/log/secure, and no readable journal",
      "nginx-auth is installed, but /var/log/nginx/access.log cannot be read: permission denied",
      `no log of sshd, nginx, postfix, dovecot or named found: nothing is watched (write /etc/stoplog/stoplog.yaml; ${packageRoot()}/docs/examples/stoplog.yaml is an example)`,
    ]);
  });

  it("does not watch a shared log for a service that is not installed", () => {
    expect(build({ "/var/log/auth.log": "readable" }, { hasJournal: true }).jails).toEqual([]);
  });

  it("says that it found nothing", () => {
    const config = build({}, { isRoot: false });
    expect(config).toMatchObject({ jails: [], stateDirectory: null });
    expect(config.notes).toEqual([
      `no log of sshd, nginx, postfix, dovecot or named found: nothing is watched (write /etc/stoplog/stoplog.yaml; ${packageRoot()}/docs/examples/stoplog.yaml is an example)`,
      expect.stringContaining("do not survive a restart"),
    ]);
  });

  it("skips a service whose filter cannot be used, and says so", () => {
    const files: Files = { "/usr/sbin/sshd": "readable", "/var/log/auth.log": "readable" };
    const config = builtInConfig(machine(files), () => null);
    expect(config.jails).toEqual([]);
    expect(config.notes[0]).toBe("sshd is not watched: its filter cannot be used");
  });

  it("works on this machine", () => {
    const config = builtInConfig(thisMachine(Date.now()));
    expect(config.notes.length).toBeGreaterThan(0);
    for (const jail of config.jails)
      for (const source of jail.sources) expect(config.sources.has(source)).toBe(true);
  });
});
