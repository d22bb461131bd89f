import { execFile } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { version } from "../../src/daemon/version.ts";
import { DebianTree, debianTreeFault } from "../support/debian-tree.ts";
import type { Release } from "../support/debootstrap.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, titled } from "../support/namespace.ts";
import { RunningInTree } from "../support/running-in-tree.ts";
import { EchoService, reaches } from "../support/service.ts";
import { until } from "../support/waiting.ts";

const fault = debianTreeFault();
const SERVER = "192.0.2.1";
const ATTACKER = "192.0.2.66";

/** Milliseconds; the first run makes the trees. */
const WITH_DEBOOTSTRAP = 600_000;

const CONFIG = `
sources:
  auth: { type: file, path: /var/log/auth.log }
jails:
  sshd: { sources: auth, maxretry: 3, findtime: 10m, bantime: 1h }
`;

describe.skipIf(fault !== null)(titled("Debian packages", fault), () => {
  const { server, attacker } = useServerAndAttacker([`${SERVER}/24`], [`${ATTACKER}/24`]);
  const out = mkdtempSync(join(tmpdir(), "stoplog-packages-"));
  let service: EchoService;
  let daemon: RunningInTree | null = null;
  let tree: DebianTree;

  beforeAll(async () => {
    service = await EchoService.start(server);
    await make("first", "stoplog_amd64,stoplog-standalone_amd64,stoplog-fail2ban_all");
    await make("again", "stoplog_amd64", "1,2");
  }, 400_000);
  afterAll(() => {
    service?.stop();
    rmSync(out, { recursive: true, force: true });
  });

  const make = async (folder: string, only: string, revision = "1"): Promise<void> => {
    const program = ["scripts/run-ts.mjs", "packaging/package.ts", "--fast", "--only", only];
    const where = ["--revision", revision, "--out", join(out, folder)];
    await promisify(execFile)(process.execPath, [...program, ...where], { cwd: packageRoot() });
  };
  const file = (folder: string, start: string): string => {
    const found = readdirSync(join(out, folder)).find((each) => each.startsWith(start));
    return join(out, folder, found ?? "none");
  };
  const first13 = (): string => file("first", `stoplog_${version}-1`);
  const next13 = (): string => file("again", `stoplog_${version}-2`);
  const install = async (path: string): Promise<string> => {
    copyFileSync(path, tree.at("/tmp/new.deb"));
    return tree.run("dpkg", "--install", "/tmp/new.deb");
  };
  const open = (): Promise<boolean> => reaches(attacker, SERVER, service.port);
  const inTree = async (release: Release, work: () => Promise<void>): Promise<void> => {
    tree = await DebianTree.make(release, server);
    try {
      await work();
    } finally {
      await endAll();
      tree.remove();
    }
  };
  const endAll = async (): Promise<void> => {
    await daemon?.end();
    daemon = null;
    server.run("nft", "flush", "ruleset");
  };
  const banAttacker = async (): Promise<void> => {
    writeFileSync(tree.at("/etc/stoplog/stoplog.yaml"), CONFIG);
    writeFileSync(tree.at("/var/log/auth.log"), "", { mode: 0o644 });
    daemon = await RunningInTree.start(tree);
    expect(await open()).toBe(true);
    const line = `${new Date().toISOString()} host sshd[4711]: Failed password for root from ${ATTACKER} port 40022 ssh2\n`;
    appendFileSync(tree.at("/var/log/auth.log"), line.repeat(3));
    await until("the attacker is banned", () => server.run("nft", "list", "ruleset").includes(ATTACKER));
    expect(await open()).toBe(false);
  };
  const removeAndPurge = async (name: string): Promise<void> => {
    await daemon?.end();
    daemon = null;
    expect(await open()).toBe(false);
    await tree.run("dpkg", "--remove", name);
    expect(server.run("nft", "list", "ruleset")).toBe("");
    expect(await open()).toBe(true);
    expect(readFileSync(tree.at("/etc/stoplog/stoplog.yaml"), "utf8")).toBe(CONFIG);
    expect(readFileSync(tree.at("/var/lib/stoplog/bans.jsonl"), "utf8")).toContain(ATTACKER);
    await tree.run("dpkg", "--purge", name);
    const left = await tree.run("find", "/", "-xdev", "-name", "*stoplog*", "-not", "-path", "/proc/*");
    expect(left).toBe("");
  };

  it("has the same bytes each time", () => {
    const [first, again, next] = [first13(), file("again", `stoplog_${version}-1`), next13()].map((path) =>
      readFileSync(path),
    );
    expect(again?.equals(first ?? Buffer.of())).toBe(true);
    expect(next?.equals(first ?? Buffer.of())).toBe(false);
  });

  it(
    "Debian 13: bans, keeps the ban and the configuration over an upgrade, and leaves nothing after a purge",
    async () => {
      await inTree("trixie", async () => {
        const before = performance.now();
        copyFileSync(first13(), tree.at("/tmp/new.deb"));
        // There is no network, and the service manager is not in the tree.
        await tree.run("apt-get", "-qy", "install", "--no-install-recommends", "/tmp/new.deb");
        await banAttacker();
        const seconds = (performance.now() - before) / 1000;
        process.stdout.write(`apt install to the first ban: ${seconds.toFixed(1)} s\n`);
        expect(await tree.run("stoplog", "check")).toContain("sshd");
        await install(file("first", "stoplog-fail2ban_"));
        expect(await tree.run("fail2ban-client", "status", "sshd")).toContain(
          `Banned IP list:\t${ATTACKER}\n`,
        );
        await tree.run("dpkg", "--purge", "stoplog-fail2ban");
        const upgrade = upgraded();
        const passed: boolean[] = [];
        while (!upgrade.done) passed.push(await open());
        expect(await upgrade.problem).toBeUndefined();
        passed.push(await open());
        expect(passed).not.toContain(true);
        expect(await tree.run("stoplog", "list")).toContain(ATTACKER);
        expect(readFileSync(tree.at("/etc/stoplog/stoplog.yaml"), "utf8")).toBe(CONFIG);
        await removeAndPurge("stoplog");
      });
    },
    WITH_DEBOOTSTRAP,
  );

  it(
    "Debian 13: each package takes the place of the other with the bans in force, and starts after a removal too",
    async () => {
      await inTree("trixie", async () => {
        const standalone = file("first", "stoplog-standalone_");
        const asked = recordService();
        await install(first13());
        expect(asked()).toEqual(["start"]);
        await banAttacker();
        await daemon?.end();
        daemon = null;
        for (const next of [standalone, first13(), standalone]) {
          await install(next);
          expect(asked()).toEqual(["stop", "start"]);
          expect(await open()).toBe(false);
        }
        await tree.run("dpkg", "--purge", "stoplog");
        expect(readFileSync(tree.at("/etc/stoplog/stoplog.yaml"), "utf8")).toBe(CONFIG);
        expect(readFileSync(tree.at("/var/lib/stoplog/bans.jsonl"), "utf8")).toContain(ATTACKER);
        await tree.run("dpkg", "--remove", "stoplog-standalone");
        expect(await open()).toBe(true);
        expect(asked()).toEqual(["stop"]);
        await install(standalone);
        expect(asked()).toEqual(["start"]);
        await install(standalone);
        expect(asked()).toEqual(["try-restart"]);
      });
    },
    WITH_DEBOOTSTRAP,
  );

  /** Puts a stand-in for the service manager into the tree. Returns a function that tells what it was asked since the last call. */
  const recordService = (): (() => readonly string[]) => {
    mkdirSync(tree.at("/run/systemd/system"), { recursive: true });
    const program = tree.at("/usr/bin/deb-systemd-invoke");
    rmSync(program, { force: true });
    writeFileSync(program, '#!/bin/sh\necho "$1" >>/tmp/asked\n', { mode: 0o755 });
    return () => {
      const text = readFileSync(tree.at("/tmp/asked"), "utf8");
      writeFileSync(tree.at("/tmp/asked"), "");
      return text.trim().split("\n");
    };
  };

  /** Installs the next package and restarts the daemon, as systemd does. */
  const upgraded = () => {
    const state = { done: false, problem: Promise.resolve<unknown>(undefined) };
    const work = async (): Promise<void> => {
      await install(next13());
      await daemon?.end();
      daemon = await RunningInTree.start(tree);
    };
    state.problem = work()
      .then(() => undefined)
      .catch((thrown: unknown) => thrown)
      .finally(() => (state.done = true));
    return state;
  };

  describe("Debian 12, without Node.js", () => {
    beforeAll(async () => {
      tree = await DebianTree.make("bookworm", server);
    }, WITH_DEBOOTSTRAP);
    afterAll(() => tree.remove());
    afterEach(() => endAll());

    it("the standalone package bans and leaves nothing after a purge", async () => {
      expect(existsSync(tree.at("/usr/bin/node"))).toBe(false);
      await install(file("first", "stoplog-standalone_"));
      const licences = readFileSync(tree.at("/usr/share/doc/stoplog-standalone/copyright"), "utf8");
      const brought = readdirSync(tree.at("/usr/lib/stoplog/node_modules")).filter(
        (name) => name !== "@koromix",
      );
      for (const name of [...brought, "node", "zod", "yaml"])
        expect(licences).toMatch(new RegExp(`^${name} \\d\\S+ \\(.+\\)\n\n[^]{200}`, "m"));
      await banAttacker();
      await removeAndPurge("stoplog-standalone");
    });

    it.skipIf(!hasProgram("rpm"))(
      titled(
        "the .rpm bans, and removes its bans when it is removed",
        hasProgram("rpm") ? null : "needs rpm",
      ),
      async () => {
        const rpm = ["rpm", "--force-debian", "--root", tree.path];
        // Debian's own packages are not in rpm's database.
        await tree.runBeside(...rpm, "--install", "--nodeps", file("first", "stoplog-standalone-"));
        expect(await tree.runBeside(...rpm, "--query", "stoplog-standalone")).toContain(version);
        await banAttacker();
        await daemon?.end();
        daemon = null;
        await tree.runBeside(...rpm, "--erase", "stoplog-standalone");
        expect(server.run("nft", "list", "ruleset")).toBe("");
        expect(await open()).toBe(true);
        expect(readFileSync(tree.at("/etc/stoplog/stoplog.yaml.rpmsave"), "utf8")).toBe(CONFIG);
        expect(existsSync(tree.at("/usr/lib/stoplog"))).toBe(false);
        await tree.run("rm", "-r", "/etc/stoplog", "/var/lib/stoplog");
      },
    );

    it("the tarball bans", async () => {
      const archive = readdirSync(join(out, "first")).find((each) => each.endsWith(".tar.xz")) ?? "none";
      await tree.runBeside("tar", "-xJf", join(out, "first", archive), "-C", tree.path);
      await tree.run("systemd-sysusers");
      await tree.run("systemd-tmpfiles", "--create", "stoplog.conf");
      mkdirSync(tree.at("/etc/stoplog"), { recursive: true });
      await banAttacker();
    });
  });

  it.skipIf(!hasProgram("lintian"))(
    titled("lintian reports nothing", hasProgram("lintian") ? null : "needs lintian"),
    async () => {
      for (const name of ["stoplog_", "stoplog-standalone_"]) {
        const { stdout } = await promisify(execFile)("lintian", ["--allow-root", file("first", name)]);
        expect(stdout).toBe("");
      }
    },
  );
});
