import { execFileSync, spawnSync } from "node:child_process";
import { atEnd } from "./leftovers.ts";
import { findProgram } from "./program.ts";

/** A network namespace of the bench's own: its rules and packets do not touch the host. */
export class Namespace {
  readonly name: string;
  readonly #remove: () => void;

  private constructor(name: string) {
    this.name = name;
    this.#remove = atEnd(() => void spawnSync("ip", ["netns", "del", name]));
  }

  /** Why a namespace cannot be made here; null when it can. */
  static missing(): string | null {
    if (process.getuid?.() !== 0) return "needs root, for a network namespace of its own";
    if (findProgram("ip") === null) return "iproute2 is not installed (apt install iproute2)";
    if (findProgram("nft") === null) return "nftables is not installed (apt install nftables)";
    return null;
  }

  static open(): Namespace {
    const space = new Namespace(`stoplog-bench-${process.pid}-${counter++}`);
    execFileSync("ip", ["netns", "add", space.name]);
    execFileSync("ip", ["-n", space.name, "link", "set", "lo", "up"]);
    return space;
  }

  /** The command inside the namespace. `ip` execs it, so the process id is the command's. */
  wrap(command: readonly string[]): string[] {
    return ["ip", "netns", "exec", this.name, ...command];
  }

  /** All elements of a table's sets as nft shows them: an independent check at the end. */
  elements(table: string): number {
    const [file = "", ...args] = this.wrap(["nft", "-j", "list", "table", "inet", table]);
    const { stdout, status } = spawnSync(file, args, { encoding: "utf8", maxBuffer: 1 << 30 });
    if (status !== 0) return 0;
    const { nftables } = JSON.parse(stdout) as {
      nftables: readonly { readonly set?: { readonly elem?: readonly unknown[] } }[];
    };
    return nftables.reduce((sum, { set }) => sum + (set?.elem?.length ?? 0), 0);
  }

  close(): void {
    this.#remove();
  }
}

let counter = 0;
