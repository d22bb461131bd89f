/** A kind of guest: a Debian architecture and how QEMU emulates a machine of it. */
export interface Machine {
  /** Debian's name of the architecture. */
  readonly name: string;
  readonly what: string;
  readonly kernelPackage: string;
  /** Runs its programs on this machine while the image is made (binfmt_misc); null: they run as they are. */
  readonly emulator: string | null;
  readonly qemu: string;
  readonly console: string;
  /** Further ones of the kernel. */
  readonly parameters: string;
}

/** Two processors and 512 MB, as a Raspberry Pi Zero 2 W has. Faster cores of this machine do not help: QEMU translates instructions. */
export const MACHINES: readonly Machine[] = [
  {
    name: "arm64",
    what: "64-bit ARM, emulated Cortex-A53 (Raspberry Pi 3, Zero 2 W)",
    kernelPackage: "linux-image-arm64",
    emulator: "qemu-aarch64",
    qemu: "qemu-system-aarch64 -M virt -cpu cortex-a53",
    console: "ttyAMA0",
    parameters: "",
  },
  {
    name: "armhf",
    what: "32-bit ARMv7, emulated Cortex-A7 (Raspberry Pi 2)",
    kernelPackage: "linux-image-armmp",
    emulator: "qemu-arm",
    // Without large physical addresses: Debian's kernel for every ARMv7 does not know them.
    qemu: "qemu-system-arm -M virt,highmem=off -cpu cortex-a7",
    console: "ttyAMA0",
    parameters: "",
  },
  {
    name: "amd64",
    what: "x86-64, emulated too: the package under systemd, and the other two to compare with",
    kernelPackage: "linux-image-amd64",
    emulator: null,
    qemu: "qemu-system-x86_64 -M q35,accel=tcg",
    console: "ttyS0",
    // On a busy machine the emulated timer is too late for the check.
    parameters: "no_timer_check",
  },
];
