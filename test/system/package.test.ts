import { type ChildProcess, execFile } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import { DebianTree, debianTreeFault, type Release } from "../support/debian-tree.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, titled } from "../support/namespace.ts";
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

/** The unit runs it with the same user, privilege and state directory. */
const AS_THE_UNIT =
  "setpriv --reuid=stoplog --regid=stoplog --init-groups --no-new-privs --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin env STATE_DIRECTORY=/var/lib/stoplog stoplog run";

describe.skipIf(fault !== null)(titled("Debian packages", fault), () => {
  const { server, attacker } = useServerAndAttacker([`${SERVER}/24`], [`${ATTACKER}/24`]);
  const out = mkdtempSync(join(tmpdir(), "stoplog-packages-"));
  let service: EchoService;
  let daemon: RunningInTree | null = null;
  let tree: DebianTree;

  beforeAll(async () => {
    service = await EchoService.start(server);
    await make("first", "stoplog_amd64,stoplog-standalone_amd64");
    await make("again", "stoplog_amd64");
    await make("next", "stoplog_amd64", 2);
  }, 400_000);
  afterAll(() => {
    service?.stop();
    rmSync(out, { recursive: true, force: true });
  });

  const make = async (folder: string, only: string, revision = 1): Promise<void> => {
    const script = [
      "scripts/run-ts.mjs",
      "packaging/package.ts",
      "--format",
      "deb",
      "--only",
      only,
      "--revision",
      String(revision),
    ];
    await promisify(execFile)(process.execPath, [...script, "--out", join(out, folder)], {
      cwd: packageRoot(),
    });
  };
  const file = (folder: string, name: string): string => {
    const found = readdirSync(join(out, folder)).find((each) => each.startsWith(`${name}_`));
    return join(out, folder, found ?? "none");
  };
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
      await daemon?.end();
      daemon = null;
      tree.remove();
      server.run("nft", "flush", "ruleset");
    }
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
    expect(readFileSync(file("first", "stoplog")).equals(readFileSync(file("again", "stoplog")))).toBe(true);
    expect(readFileSync(file("first", "stoplog")).equals(readFileSync(file("next", "stoplog")))).toBe(false);
  });

  it(
    "Debian 13: bans, keeps the ban and the configuration over an upgrade, and leaves nothing after a purge",
    async () => {
      await inTree("trixie", async () => {
        await install(file("first", "stoplog"));
        expect(await tree.run("stoplog", "check")).toContain("sshd");
        await banAttacker();
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

  /** Installs the next package and restarts the daemon, as systemd does. */
  const upgraded = () => {
    const state = { done: false, problem: Promise.resolve<unknown>(undefined) };
    const work = async (): Promise<void> => {
      await install(file("next", "stoplog"));
      await daemon?.end();
      daemon = await RunningInTree.start(tree);
    };
    state.problem = work()
      .then(() => undefined)
      .catch((thrown: unknown) => thrown)
      .finally(() => (state.done = true));
    return state;
  };

  it(
    "Debian 12: the standalone package bans and leaves nothing after a purge",
    async () => {
      await inTree("bookworm", async () => {
        expect(existsSync(tree.at("/usr/bin/node"))).toBe(false);
        await install(file("first", "stoplog-standalone"));
        await banAttacker();
        await removeAndPurge("stoplog-standalone");
      });
    },
    WITH_DEBOOTSTRAP,
  );

  it.skipIf(!hasProgram("lintian"))(
    titled("lintian reports nothing", hasProgram("lintian") ? null : "needs lintian"),
    async () => {
      for (const name of ["stoplog", "stoplog-standalone"]) {
        const { stdout } = await promisify(execFile)("lintian", ["--allow-root", file("first", name)]);
        expect(stdout).toBe("");
      }
    },
  );
});

/** The daemon of an installed package. */
class RunningInTree {
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  log = "";

  private constructor(tree: DebianTree) {
    this.#process = tree.spawn(...AS_THE_UNIT.split(" "));
    for (const stream of [this.#process.stdout, this.#process.stderr])
      stream?.on("data", (chunk: Buffer) => (this.log += chunk.toString()));
    this.#ended = new Promise((resolve) => this.#process.on("close", () => resolve()));
  }

  static async start(tree: DebianTree): Promise<RunningInTree> {
    const daemon = new RunningInTree(tree);
    await until(
      "the daemon watches",
      () => daemon.log.includes(" watches "),
      () => daemon.log,
    );
    return daemon;
  }

  async end(): Promise<void> {
    this.#process.kill("SIGTERM");
    await this.#ended;
  }
}
