import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { runProgram } from "../../core/run-program.ts";
import { StoplogError } from "../../core/errors.ts";
import type { Prober } from "./prober.ts";

/** One family's ends of the link: this machine's, and the one that is banned. */
export interface Ends {
  readonly family: "IPv4" | "IPv6";
  readonly here: string;
  readonly there: string;
}

/** A pair of interfaces between this machine and the prober's namespace. */
export interface Link {
  readonly ends: readonly Ends[];
  /** The kernel removes the link with the namespace too, but some time after the process ended. */
  remove(): Promise<void>;
}

/**
 * Links this machine to the prober's namespace.
 *
 *      this machine: slprove… 198.18.N.1, fd…::1 ═══════ prover 198.18.N.2, fd…::2
 *
 * 198.18.0.0/15 is for tests of networks (RFC 2544), fd00::/8 is local (RFC 4193). The link is gone when the prober is.
 */
export async function linkTo(prober: Prober): Promise<Link> {
  const name = `slprove${process.pid % 100_000}`;
  const net = freeNetwork();
  const global = randomBytes(5).toString("hex");
  const v6 = `fd${global.slice(0, 2)}:${global.slice(2, 6)}:${global.slice(6, 10)}`;
  const ends: readonly Ends[] = [
    { family: "IPv4", here: `${net}.1`, there: `${net}.2` },
    { family: "IPv6", here: `${v6}::1`, there: `${v6}::2` },
  ];
  await ip("link", "add", name, "type", "veth", "peer", "name", "prover", "netns", String(prober.pid));
  await ip("link", "set", name, "up");
  await prober.ip(["link", "set", "prover", "up"]);
  const made: Ends[] = [];
  for (const end of ends) {
    const length = end.family === "IPv4" ? "30" : "64";
    const more = end.family === "IPv4" ? [] : ["nodad"];
    try {
      await ip("address", "add", `${end.here}/${length}`, "dev", name, ...more);
      await prober.ip(["address", "add", `${end.there}/${length}`, "dev", "prover", ...more]);
      made.push(end);
    } catch (error) {
      // A machine without IPv6 has nothing to prove there.
      if (end.family === "IPv4") throw error;
    }
  }
  return { ends: made, remove: async () => void (await runProgram(["ip", "link", "delete", name])) };
}

/** Three octets that no interface has. */
function freeNetwork(): string {
  const taken = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  for (;;) {
    const [high = 0, low = 0] = randomBytes(2);
    const net = `198.${18 + (high & 1)}.${low}`;
    if (!taken.some(({ address }) => address.startsWith(`${net}.`))) return net;
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  const { fact } = await runProgram(["ip", ...args]);
  if (fact !== null) throw new StoplogError(`Cannot link a network namespace to this machine: ${fact}`);
}
