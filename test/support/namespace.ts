import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync } from "node:fs";
import { loadNative, nativeFault } from "../../src/kernel/native/libc.ts";

/**
 * A network namespace for tests and benches: real kernel, real packets, nothing of this host changed. Namespaces that
 * still exist when the process ends are removed then.
 */
export class Namespace {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** A namespace that `make` makes later. Its name contains this process's number: no two test processes share one. */
  static named(label: string): Namespace {
    return new Namespace(`stoplog-${label}-${process.pid}-${++named}`);
  }

  /** Makes a namespace with its loopback up. */
  static create(label = "ns"): Namespace {
    return Namespace.named(label).make();
  }

  make(): this {
    sweep();
    ip("netns", "add", this.name);
    standing.add(this);
    this.run("ip", "link", "set", "lo", "up");
    return this;
  }

  /** Runs a program inside and returns its output. Throws with its error output when it fails. */
  run(program: string, ...args: readonly string[]): string {
    return check("ip", ["netns", "exec", this.name, program, ...args]);
  }

  /** The same, with text on its standard input. */
  feed(input: string, program: string, ...args: readonly string[]): string {
    return check("ip", ["netns", "exec", this.name, program, ...args], input);
  }

  /** Starts a program inside; the caller ends it. */
  spawn(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn("ip", ["netns", "exec", this.name, program, ...args], options);
  }

  /**
   * Takes this process's main thread inside while `work` runs: sockets that are opened and programs that are started
   * meanwhile belong to the namespace, for as long as they live.
   */
  async inside<T>(work: () => T | Promise<T>): Promise<T> {
    const leave = this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Enters the namespace and returns a function that leaves it. */
  enter(): () => void {
    const { libc } = loadNative();
    const home = openSync("/proc/thread-self/ns/net", "r");
    const there = openSync(`/run/netns/${this.name}`, "r");
    const entered = libc.setns(there, CLONE_NEWNET);
    closeSync(there);
    if (entered !== 0) throw new Error(`Cannot enter ${this.name}: errno ${libc.errno()}`);
    return () => {
      libc.setns(home, CLONE_NEWNET);
      closeSync(home);
    };
  }

  remove(): void {
    if (!standing.delete(this)) return;
    spawnSync("ip", ["netns", "del", this.name]);
  }
}

/** One end of a link: addresses with their prefix lengths, such as `192.0.2.1/24`. */
export interface End {
  readonly namespace: Namespace;
  readonly addresses: readonly string[];
  /** Name of the interface; `veth0` by default. */
  readonly link?: string;
}

/** Joins two namespaces by a veth pair. */
export function join(a: End, b: End): void {
  const [x, y] = [`sl${process.pid % 10000}a${++cables}`, `sl${process.pid % 10000}b${cables}`];
  ip(
    "link",
    "add",
    x,
    "netns",
    a.namespace.name,
    "type",
    "veth",
    "peer",
    "name",
    y,
    "netns",
    b.namespace.name,
  );
  for (const [{ namespace, addresses, link = "veth0" }, made] of [
    [a, x],
    [b, y],
  ] as const) {
    namespace.run("ip", "link", "set", made, "name", link);
    for (const address of addresses) {
      // nodad: an IPv6 address is usable at once.
      const more = address.includes(":") ? ["nodad"] : [];
      namespace.run("ip", "address", "add", address, "dev", link, ...more);
    }
    namespace.run("ip", "link", "set", link, "up");
  }
  for (const end of [a, b]) waitForCarrier(end);
}

/** The kernel brings a link up in the background. A packet that is sent before is lost, and sent again only after a second. */
function waitForCarrier({ namespace, link = "veth0" }: End): void {
  const script = `for i in $(seq 500); do grep -q up /sys/class/net/${link}/operstate && exit 0; sleep 0.01; done; exit 1`;
  namespace.run("sh", "-c", script);
}

/** Why namespaces cannot be made here, for the name of a skipped test; null when they can. */
export function namespaceFault(): string | null {
  if (process.getuid?.() !== 0) return "needs root";
  if (!hasProgram("ip")) return "needs ip of iproute2";
  const fault = nativeFault();
  if (fault !== null) return fault;
  const probe = `stoplog-probe-${process.pid}-0`;
  if (spawnSync("ip", ["netns", "add", probe]).status !== 0) return "network namespaces cannot be made here";
  spawnSync("ip", ["netns", "del", probe]);
  return null;
}

/** `title`, followed by the reason when the tests are skipped. */
export function titled(title: string, fault: string | null): string {
  return fault === null ? title : `${title} (skipped: ${fault})`;
}

export function hasProgram(name: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/${name}`));
}

const CLONE_NEWNET = 0x40000000;

let named = 0;
let cables = 0;
let swept = false;
const standing = new Set<Namespace>();
process.on("exit", () => {
  for (const namespace of standing) namespace.remove();
});

/** Removes namespaces of killed processes: their number is in the name. */
function sweep(): void {
  if (swept || !existsSync("/run/netns")) return;
  swept = true;
  for (const name of readdirSync("/run/netns")) {
    const owner = /^stoplog-.+-(\d+)-\d+$/.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) spawnSync("ip", ["netns", "del", name]);
  }
}

function ip(...args: readonly string[]): string {
  return check("ip", args);
}

function check(program: string, args: readonly string[], input?: string): string {
  const options = { encoding: "utf8", maxBuffer: MOST_OUTPUT } as const;
  const done = spawnSync(program, args, { ...options, ...(input === undefined ? {} : { input }) });
  if (done.status !== 0) {
    throw new Error(`Cannot run ${program} ${args.join(" ")}: ${done.error?.message ?? done.stderr.trim()}`);
  }
  return done.stdout;
}

/** Bytes: a ruleset with some 100,000 bans as JSON. Node's default is 1 MiB, some 10,000 bans. */
const MOST_OUTPUT = 64 << 20;
