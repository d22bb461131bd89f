import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../core/run-program.ts";
import { StoplogError } from "../core/errors.ts";
import { ATTACKER_NETWORK_V6, ATTACKER_NETWORKS_V4, GATEWAY, SERVER, USER_NETWORK } from "./plan.ts";

export type Place = "server" | "internet";

/**
 * Two network namespaces joined by a cable, and a folder for files.
 *
 *      internet ── eth0 ═══════ eth0 ── server
 *      192.0.2.2, 2001:db8::2           192.0.2.1, 2001:db8::1
 *      all the attackers' and users' addresses
 *
 * A shell waits for the end of this process, however it ends, and then removes processes, namespaces and files.
 */
export class Stage {
  readonly home: string;
  readonly #names: Readonly<Record<Place, string>>;
  readonly #sweeper: ChildProcess;
  readonly #children = new Set<ChildProcess>();
  #over = false;

  private constructor() {
    this.home = mkdtempSync(join(tmpdir(), "stoplog-demo-"));
    const name = (place: Place): string => `stoplog-demo-${process.pid}-${place}`;
    this.#names = { server: name("server"), internet: name("internet") };
    this.#sweeper = spawn("sh", ["-c", SWEEP, "sh", this.home, ...Object.values(this.#names)], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#sweeper.on("error", () => {});
  }

  static async build({ ipv6 }: { readonly ipv6: boolean }): Promise<Stage> {
    const stage = new Stage();
    try {
      const { server, internet } = stage.#names;
      await ip(["netns", "add", server]);
      await ip(["netns", "add", internet]);
      await ip([
        "-n",
        server,
        "link",
        "add",
        "eth0",
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        internet,
      ]);
      await ip(["-n", server, "-batch", "-"], serverScript(ipv6));
      await ip(["-n", internet, "-batch", "-"], internetScript(ipv6));
      // Otherwise bind() for IPv6 accepts only addresses of an interface.
      if (ipv6) await ip(["netns", "exec", internet, "sh", "-c", `echo 1 >${NONLOCAL_BIND}`]);
      return stage;
    } catch (error) {
      await stage.strike();
      throw error;
    }
  }

  file(name: string): string {
    return join(this.home, name);
  }

  /** Starts a program in one of the namespaces. It gets no signals from the terminal: we end it. */
  spawn(place: Place, command: readonly string[]): ChildProcess {
    if (this.#over) throw new StoplogError("Cannot run the demo: it is over");
    // `ip netns exec` becomes the program, so the child's process is the program's.
    const child = spawn("ip", ["netns", "exec", this.#names[place], ...command], {
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#children.add(child);
    child.on("error", () => {});
    child.on("close", () => this.#children.delete(child));
    child.stdin?.on("error", () => {});
    return child;
  }

  /** Runs a program in one of the namespaces and returns its output. */
  async run(place: Place, command: readonly string[]): Promise<string> {
    return ip(["netns", "exec", this.#names[place], ...command]);
  }

  /** Ends all programs; no more can be started. */
  async endAll(): Promise<void> {
    this.#over = true;
    await Promise.all([...this.#children].map(endChild));
  }

  /** Ends all programs and cleans up. */
  async strike(): Promise<void> {
    await this.endAll();
    if (this.#sweeper.exitCode === null && this.#sweeper.signalCode === null) {
      const swept = once(this.#sweeper, "close");
      this.#sweeper.stdin?.end();
      await swept;
    }
    const left = [this.home, ...Object.values(this.#names).map((name) => `/run/netns/${name}`)].filter(
      existsSync,
    );
    if (left.length > 0) throw new StoplogError(`Cannot clean up: ${left.join(" and ")} still exists`);
  }
}

/** Arguments: the folder, then the namespaces. Standard input ends when the demo ends. */
const SWEEP = `
cat >/dev/null
home=$1
shift
for namespace; do
  for process in $(ip netns pids "$namespace" 2>/dev/null); do kill -KILL "$process"; done
  ip netns del "$namespace"
done
rm -rf -- "$home"
`;

const NONLOCAL_BIND = "/proc/sys/net/ipv6/ip_nonlocal_bind";

function serverScript(ipv6: boolean): string {
  return script([
    "link set lo up",
    `address add ${SERVER.v4}/24 dev eth0`,
    ...(ipv6 ? ipv6Script(SERVER.v6) : []),
    "link set eth0 up",
    ...ATTACKER_NETWORKS_V4.map((network) => `route add ${network} via ${GATEWAY.v4}`),
    ...(ipv6 ? [`route add ${ATTACKER_NETWORK_V6} via ${GATEWAY.v6}`] : []),
  ]);
}

/** A local route makes every address of a network our own. */
function internetScript(ipv6: boolean): string {
  return script([
    "link set lo up",
    `address add ${GATEWAY.v4}/24 dev eth0`,
    ...(ipv6 ? ipv6Script(GATEWAY.v6) : []),
    "link set eth0 up",
    ...[USER_NETWORK, ...ATTACKER_NETWORKS_V4].map((network) => `route add local ${network} dev lo`),
    ...(ipv6 ? [`route add local ${ATTACKER_NETWORK_V6} dev lo`] : []),
  ]);
}

/** Skips duplicate address detection and neighbour discovery, which take a second or two. */
function ipv6Script(own: string): readonly string[] {
  const [self, other, neighbour] =
    own === SERVER.v6 ? [MAC.server, MAC.internet, GATEWAY.v6] : [MAC.internet, MAC.server, SERVER.v6];
  return [
    `link set eth0 address ${self}`,
    `address add ${own}/64 dev eth0 nodad`,
    `neigh add ${neighbour} lladdr ${other} dev eth0`,
  ];
}

/** Locally administered (IEEE 802). */
const MAC = { server: "02:00:00:00:00:01", internet: "02:00:00:00:00:02" };

function script(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}

/** Runs `ip` and returns its output. Throws with its first sentence. */
async function ip(args: readonly string[], input = ""): Promise<string> {
  const { fact, stdout, stderr } = await runProgram(["ip", ...args], { input, mostOutput: MOST_OUTPUT });
  if (fact === null) return stdout.toString();
  const first = stderr.trim().split("\n")[0] || fact;
  throw new StoplogError(`Cannot set up the demo: ip ${args.slice(0, 4).join(" ")} failed: ${first}`);
}

const MOST_OUTPUT = 32 << 20;

/** In ms between SIGTERM and SIGKILL. */
const GRACE = 3000;

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = once(child, "exit");
  child.stdin?.end();
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), GRACE);
  await ended;
  clearTimeout(timer);
}
