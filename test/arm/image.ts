import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../src/config/package-root.ts";
import { debootstrap } from "../support/debootstrap.ts";
import { foreignPrograms } from "./foreign.ts";
import type { Machine } from "./machines.ts";

const execute = promisify(execFile);

/** Paths of what QEMU boots. */
export interface Image {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

const PACKAGES = ["systemd-sysv", "nodejs", "nftables", "iproute2", "iputils-ping", "initramfs-tools"];
/** What the initial file system needs to find the disk. Left to itself it takes all, for minutes, and on armhf misses these. */
const MODULES = "virtio_pci\nvirtio_blk\next4\n";
const UNIT = join(import.meta.dirname, "guest/trial.service");
const SIZE = "2G";

/** The image of a Debian 13 with systemd, from .cache/arm; the first time, debootstrap makes it. */
export async function image(machine: Machine, say: (text: string) => void): Promise<Image> {
  const recipe = [...PACKAGES, machine.kernelPackage, MODULES, SIZE, readFileSync(UNIT, "utf8")];
  const key = createHash("sha256").update(recipe.join());
  const folder = join(packageRoot(), ".cache/arm", `${machine.name}-${key.digest("hex").slice(0, 12)}`);
  if (!existsSync(folder)) {
    say("makes the image with debootstrap (once; some minutes)");
    await makeImage(folder, machine);
  }
  return { disk: join(folder, "disk"), kernel: join(folder, "kernel"), initrd: join(folder, "initrd") };
}

async function makeImage(folder: string, machine: Machine): Promise<void> {
  const [tree, beginning] = [`${folder}.${process.pid}.tree`, `${folder}.${process.pid}.new`];
  mkdirSync(beginning, { recursive: true });
  try {
    const prefix = machine.emulator === null ? [] : foreignPrograms(machine.emulator);
    await debootstrap(tree, {
      release: "trixie",
      packages: PACKAGES,
      architecture: machine.name,
      prefix,
    });
    await installKernel(tree, machine, prefix);
    // The first boot would rebuild systemd's databases, for minutes.
    for (const each of ["etc", "var"]) writeFileSync(join(tree, each, ".updated"), "");
    copyFileSync(UNIT, join(tree, "etc/systemd/system/trial.service"));
    const wanted = join(tree, "etc/systemd/system/multi-user.target.wants");
    mkdirSync(wanted, { recursive: true });
    symlinkSync("../trial.service", join(wanted, "trial.service"));
    copyFileSync(inBoot(tree, "vmlinuz-"), join(beginning, "kernel"));
    copyFileSync(inBoot(tree, "initrd.img-"), join(beginning, "initrd"));
    await execute("mkfs.ext4", ["-q", "-L", "root", "-d", tree, join(beginning, "disk"), SIZE]);
    renameSync(beginning, folder);
  } finally {
    for (const each of [tree, beginning]) rmSync(each, { recursive: true, force: true });
  }
}

async function installKernel(tree: string, machine: Machine, prefix: readonly string[]): Promise<void> {
  writeFileSync(join(tree, "etc/initramfs-tools/conf.d/guest"), "MODULES=list\n");
  writeFileSync(join(tree, "etc/initramfs-tools/modules"), MODULES);
  const apt = ["chroot", tree, "apt-get", "-y", "--no-install-recommends", "install", machine.kernelPackage];
  const [program = "", ...args] = [...prefix, ...apt];
  const env = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  await execute(program, args, { env, maxBuffer: 1 << 24 });
  rmSync(join(tree, "var/cache/apt/archives"), { recursive: true });
}

function inBoot(tree: string, start: string): string {
  const boot = join(tree, "boot");
  const name = readdirSync(boot).find((each) => each.startsWith(start));
  if (name === undefined) throw new Error(`Cannot make the image: no ${start}* in ${boot}`);
  return join(boot, name);
}
