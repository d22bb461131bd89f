import { type ChildProcess, execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../src/config/package-root.ts";
import { debootstrap, MIRROR, type Release } from "./debootstrap.ts";
import { hasProgram, type Namespace, namespaceFault } from "./namespace.ts";

const execute = promisify(execFile);

const COMMON = ["systemd-standalone-sysusers", "systemd-standalone-tmpfiles"];
const PACKAGES: Readonly<Record<Release, readonly string[]>> = {
  trixie: ["nodejs", ...COMMON],
  bookworm: COMMON,
};

/** A small Debian below a temporary folder: programs run there in a network namespace, with no service manager. */
export class DebianTree {
  readonly path: string;
  readonly #folder: string;
  readonly #namespace: Namespace;

  private constructor(folder: string, namespace: Namespace) {
    this.#folder = folder;
    this.path = join(folder, "root");
    this.#namespace = namespace;
  }

  /** Covers the cached tree with a layer of its own, or copies it where the kernel has no overlay; the first time, debootstrap makes it (a minute or two, and the network). */
  static async make(release: Release, namespace: Namespace): Promise<DebianTree> {
    if (!existsSync(cached(release)))
      await debootstrap(cached(release), { release, packages: PACKAGES[release] });
    const folder = mkdtempSync(join(tmpdir(), `stoplog-${release}-`));
    const [root, upper, work] = ["root", "upper", "work"].map((name) => join(folder, name));
    for (const each of [root, upper, work]) mkdirSync(each ?? "");
    const layers = `lowerdir=${cached(release)},upperdir=${upper},workdir=${work}`;
    if (spawnSync("mount", ["-t", "overlay", "overlay", "-o", layers, root ?? ""]).status !== 0)
      await execute("cp", ["-a", `${cached(release)}/.`, root ?? ""]);
    return new DebianTree(folder, namespace);
  }

  at(path: string): string {
    return join(this.path, path);
  }

  /** Runs a program to its end. Throws with its output when it fails. */
  async run(...command: readonly string[]): Promise<string> {
    const [program = "", ...args] = this.#enter(command);
    const { stdout, stderr } = await execute(program, args, { env: ENVIRONMENT });
    return `${stdout}${stderr}`;
  }

  spawn(...command: readonly string[]): ChildProcess {
    const [, , , , program = "", ...args] = this.#enter(command); // Namespace adds `ip netns exec NAME`.
    return this.#namespace.spawn(program, args, { env: ENVIRONMENT });
  }

  /** Runs a program of this machine, which acts on the tree from outside. */
  async runBeside(...command: readonly string[]): Promise<string> {
    const script = 'mount -t proc proc "$0/proc" && exec "$@"';
    const entered = ["netns", "exec", this.#namespace.name, "sh", "-c", script, this.path];
    const { stdout, stderr } = await execute("ip", [...entered, ...command], { env: ENVIRONMENT });
    return `${stdout}${stderr}`;
  }

  remove(): void {
    spawnSync("umount", ["--lazy", this.path]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** `ip netns exec` gives the program mounts of its own, so that /proc disappears with it. */
  #enter(command: readonly string[]): readonly string[] {
    const script = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
    return ["ip", "netns", "exec", this.#namespace.name, "sh", "-c", script, this.path, ...command];
  }
}

const ENVIRONMENT = {
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  LC_ALL: "C",
  DEBIAN_FRONTEND: "noninteractive",
  // Of this machine's user are a home and a shell's start file, which the tree does not have.
  HOME: "/nonexistent",
};

/** Why packages cannot be installed here, for the name of a skipped test; null when they can. */
export function debianTreeFault(): string | null {
  const fault = namespaceFault();
  if (fault !== null) return fault;
  for (const program of ["debootstrap", "wget", "dpkg-deb", "nft", "x86_64-linux-gnu-strip"])
    if (!hasProgram(program)) return `needs ${program}`;
  if (process.arch !== "x64") return "needs an x64 processor";
  if (existsSync(cached("trixie")) && existsSync(cached("bookworm"))) return null;
  const probe = ["-q", "--spider", "--tries=1", "--timeout=5", `${MIRROR}/dists/trixie/Release`];
  return spawnSync("wget", probe).status === 0 ? null : "needs the network, to make trees of Debian";
}

function cached(release: Release): string {
  return join(packageRoot(), ".cache/debian-trees", release);
}
