import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { NOW, say, sentences, situation, SSHD } from "../../../test/support/doctor-machine.ts";
import { clock } from "./clock.ts";
import { configuration } from "./configuration.ts";
import { daemon } from "./daemon.ts";
import { memory } from "./memory.ts";
import { node } from "./node.ts";
import { openFiles } from "./open-files.ts";
import { stateDirectory } from "./state-directory.ts";
import { whoCanWrite } from "../../core/who-can-write.ts";

describe("the clock", () => {
  const remote =
    "sources: { log: { type: syslog, listen: 'udp:127.0.0.1:5514' } }\njails: { sshd: { sources: log, filter: sshd } }\n";

  it("matters where lines come over the network", () => {
    const facts = { clockSynchronised: false };
    expect(sentences(clock, { facts, config: remote })).toEqual([
      "advice: The system clock is not synchronised",
    ]);
    expect(sentences(clock, { facts })).toEqual([
      "fine: The clock is not synchronised, but all lines are local",
    ]);
    expect(sentences(clock, { config: remote })).toEqual(["fine: The clock is synchronised"]);
    expect(say(clock, { facts: { clockSynchronised: null }, config: remote })).toEqual([]);
  });
});

describe("Node.js", () => {
  it.each([
    ["20.19.2", "fine"],
    ["24.1.0", "fine"],
    ["23.4.0", "advice"],
  ])("%s", (nodeVersion, severity) => {
    expect(say(node, { facts: { nodeVersion } })[0]?.severity).toBe(severity);
  });
});

describe("memory", () => {
  const MB = 1024 * 1024;
  const group = "/sys/fs/cgroup/system.slice";
  const limited = (max: string, current: number, killed: number) => ({
    "/proc/7/cgroup": "0::/system.slice/stoplog.service\n",
    [`${group}/stoplog.service/memory.max`]: "max\n",
    [`${group}/memory.max`]: `${max}\n`,
    [`${group}/memory.current`]: `${current}\n`,
    [`${group}/memory.events`]: `low 0\noom 3\noom_kill ${killed}\n`,
  });
  const look = (files: Readonly<Record<string, string>>) => sentences(memory, { files, daemon: { pid: 7 } });

  it.each([
    ["max", 50 * MB, 0, "fine: Memory is sufficient"],
    [String(512 * MB), 50 * MB, 0, "fine: Memory is sufficient"],
    [String(64 * MB), 50 * MB, 0, `advice: Stoplog can use at most 64.0 MiB of memory (${group}/memory.max)`],
    [String(512 * MB), 500 * MB, 0, "trouble: Stoplog's control group uses 500 MiB of its 512 MiB of memory"],
    [
      String(512 * MB),
      MB,
      2,
      `trouble: The kernel killed 2 processes in ${group} at its memory limit of 512 MiB`,
    ],
  ])("of a group above the daemon's with limit %s, used %d, killed %d", (max, current, killed, sentence) => {
    expect(look(limited(max, current, killed))).toEqual([sentence]);
  });

  it("of the machine", () => {
    expect(look({ "/proc/meminfo": "MemTotal: 500000 kB\nMemAvailable:   20480 kB\n" })).toEqual([
      "advice: This machine has only 20.0 MiB of free memory",
    ]);
  });
});

describe("the state directory", () => {
  const file = { "/var/lib/stoplog/bans.jsonl": "" };
  const FINE = "fine: /var/lib/stoplog has free space, and only Stoplog can write to it";
  const mounts = (options: string): string => `22 1 8:1 / / ${options} shared:1 - ext4 /dev/sda1 rw\n`;

  it("is fine, also before it is created", () => {
    expect(sentences(stateDirectory, { files: file })).toEqual([FINE]);
    expect(sentences(stateDirectory, {})).toEqual([FINE]);
  });

  it("must not be writable by others", () => {
    const machine = situation({ files: file });
    const open = {
      ...machine.host,
      stat: () => ({ kind: "folder", size: 0, changedAt: NOW, mode: 0o777, uid: 0, gid: 0 }) as const,
    };
    expect(stateDirectory.look({ ...machine, host: open })).toMatchObject([
      {
        severity: "trouble",
        what: "Others than its owner can write to /var/lib/stoplog (mode 777)",
        cure: ["chmod 700 /var/lib/stoplog"],
      },
    ]);
    const replaceable = {
      ...machine.host,
      stat: (path: string) => ({
        ...(machine.host.stat(path) ?? { size: 0, changedAt: NOW, uid: 0, gid: 0 }),
        kind: "folder" as const,
        mode: path === "/var" ? 0o777 : path === "/" ? 0o1777 : 0o700,
      }),
    };
    expect(stateDirectory.look({ ...machine, host: replaceable })).toMatchObject([
      { what: "Every user can replace /var/lib/stoplog: /var has mode 777", cure: ["chmod o-w /var"] },
    ]);
    const foreign = {
      ...machine.host,
      stat: () => ({ kind: "folder", size: 0, changedAt: NOW, mode: 0o700, uid: 0, gid: 0 }) as const,
    };
    const rights = { uid: 990, capabilities: 0n, noNewPrivileges: true };
    expect(stateDirectory.look({ ...machine, host: foreign, rights })).toMatchObject([
      {
        what: "/var/lib/stoplog belongs to user 0, but Stoplog runs as user 990",
        cure: ["chown -R 990 /var/lib/stoplog"],
      },
    ]);
  });

  it.each([
    [
      { free: 1024, size: 1e9, freeFiles: 1000 },
      "The disk of /var/lib/stoplog is nearly full: 1.0 KiB are left",
    ],
    [
      { free: 1e9, size: 1e9, freeFiles: 3 },
      "The disk of /var/lib/stoplog is nearly full: only 3 files can be created",
    ],
  ])("has room: %j", (space, what) => {
    const machine = situation({ files: file });
    expect(stateDirectory.look({ ...machine, host: { ...machine.host, space: () => space } })).toMatchObject([
      { severity: "trouble", what },
    ]);
    const btrfs = { free: 1e9, size: 1e9, freeFiles: null };
    expect(stateDirectory.look({ ...machine, host: { ...machine.host, space: () => btrfs } })[0]?.what).toBe(
      FINE.slice(6),
    );
  });

  it("must be writable, on a disk with free space", () => {
    expect(
      sentences(stateDirectory, { files: { ...file, "/proc/self/mountinfo": mounts("ro,relatime") } }),
    ).toEqual(["trouble: /var/lib/stoplog is on a read-only file system (/)"]);
    expect(sentences(stateDirectory, { files: { ...file, "/proc/self/mountinfo": mounts("rw") } })).toEqual([
      FINE,
    ]);
    expect(sentences(stateDirectory, { files: { "/var/lib/stoplog": "x" } })).toEqual([
      "trouble: /var/lib/stoplog is not a directory",
    ]);
  });

  it("is reported when the configuration has none", () => {
    expect(sentences(stateDirectory, { config: `${SSHD}state: false\n` })).toEqual([
      "advice: State does not survive a restart: the configuration has no state directory",
    ]);
  });
});

describe("the daemon", () => {
  const running = { pid: 7, version: "1.2.3", dryRun: false, warnings: [] };

  it("repeats the daemon's warnings, without the notes of its configuration", () => {
    const config = `${SSHD}targets: { spare: { enforcer: dry-run } }\n`;
    const warnings = ["target spare is not used by any jail", "Cannot read /x: permission denied"];
    expect(sentences(daemon, { config, daemon: { ...running, warnings } })).toEqual([
      "trouble: Cannot read /x: permission denied",
    ]);
    expect(sentences(daemon, { daemon: running })).toEqual([
      "fine: Stoplog 1.2.3 runs (process 7) and reports no problem",
    ]);
  });

  it("that runs with --dry-run bans nothing", () => {
    expect(sentences(daemon, { daemon: { ...running, dryRun: true } })).toEqual([
      "advice: The daemon runs with --dry-run: it decides, and enforces nothing",
    ]);
  });

  it("must run when its service is enabled", () => {
    const files = {
      "/etc/systemd/system/stoplog.service": "[Service]\n",
      "/etc/systemd/system/multi-user.target.wants/stoplog.service": "[Service]\n",
      "/run/systemd/system/x": "",
    };
    expect(sentences(daemon, { files })).toEqual([
      "trouble: The service stoplog is enabled, but no daemon answers",
    ]);
    expect(say(daemon, {})).toEqual([]);
  });

  it("needs a jail, a list or an origin", () => {
    expect(sentences(daemon, { config: "{}" })).toEqual([
      "trouble: The configuration has no jail, no list and no origin of orders",
    ]);
    expect(say(daemon, { config: "lists: { a: { file: /etc/a } }" })).toEqual([]);
    expect(say(daemon, { config: "origins: { edge: {} }" })).toEqual([]);
  });

  it("takes orders only from root, its user and its group", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stoplog-doctor-socket-"));
    const socket = join(folder, "control.sock");
    const server = createServer();
    try {
      await new Promise<void>((done) => server.listen(socket, done));
      // Seen from a machine whose root is this one's.
      const machine = situation({ daemon: running, socket });
      const { hostAt } = await import("../host-at.ts");
      const host = hostAt("", "", machine.host.facts);
      chmodSync(folder, 0o755);
      chmodSync(socket, 0o666);
      expect(daemon.look({ ...machine, host })[0]).toMatchObject({
        severity: "trouble",
        what: `Every user of this machine can write to the control socket ${socket} (mode 666)`,
        cure: [`chmod 660 ${socket}`],
      });
      chmodSync(folder, 0o700);
      expect(daemon.look({ ...machine, host })[0]?.severity).toBe("fine");
      chmodSync(folder, 0o755);
      chmodSync(socket, 0o600);
      expect(daemon.look({ ...machine, host })[0]?.what).toMatch(
        /^Stoplog 1\.2\.3 runs \(process 7\) and reports no problem; it takes orders from root(, user [^,]+)?$/,
      );
      chmodSync(socket, 0o660);
      expect(daemon.look({ ...machine, host })[0]?.what).toMatch(
        /; it takes orders from root, .*group [^,]+$/,
      );
    } finally {
      await new Promise<void>((done) => server.close(() => done()));
      rmSync(folder, { recursive: true });
    }
  });
});

describe("the configuration", () => {
  it("is good, or has errors, which are counted", () => {
    const machine = situation({});
    expect(configuration.look(machine)).toMatchObject([{ severity: "fine" }]);
    const bad = { ...machine, config: null, configPath: "/etc/a b.yaml" };
    expect(configuration.look({ ...bad, configErrors: ["a.yaml:1:2: one", "two", "three"] })).toMatchObject([
      {
        severity: "trouble",
        what: "a.yaml:1:2: one, and 2 more errors in the configuration",
        cure: ["stoplog check -c '/etc/a b.yaml'"],
      },
    ]);
    expect(configuration.look(bad)).toEqual([]);
  });
});

describe("files that other users can change", () => {
  const opened = (mode: number, uid = 0, gid = 0) => {
    const path = "/etc/stoplog/my filter.yaml";
    const at = { path, isFolder: false, mode, uid, gid };
    return { ...situation({}), openFiles: [{ path, openings: whoCanWrite([at], { uids: [], gids: [] }) }] };
  };

  it("are trouble, and advice where only a group can", () => {
    expect(openFiles.look(opened(0o666))).toMatchObject([
      {
        severity: "trouble",
        what: "/etc/stoplog/my filter.yaml: every user can write it (mode 666)",
        cure: ["chmod o-w '/etc/stoplog/my filter.yaml'"],
      },
    ]);
    expect(openFiles.look(opened(0o664, 0, 27))).toMatchObject([
      { severity: "advice", cure: ["chmod g-w '/etc/stoplog/my filter.yaml'"] },
    ]);
  });

  it("may be the daemon's own", () => {
    const rights = { uid: 990, capabilities: 0n, noNewPrivileges: true };
    expect(openFiles.look(opened(0o644, 990))).toMatchObject([
      { severity: "trouble", cure: ["chown root '/etc/stoplog/my filter.yaml'"] },
    ]);
    expect(openFiles.look({ ...opened(0o644, 990), rights })).toMatchObject([{ severity: "fine" }]);
  });
});
