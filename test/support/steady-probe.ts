import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** Datagrams of some addresses, a thousand a second from each, in the network namespace of this thread (steady-senders.ts). */
export class SteadyProbe {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  constructor(addresses: readonly string[]) {
    const script = ["scripts/run-ts.mjs", "test/support/steady-senders.ts", JSON.stringify(addresses)];
    this.#child = spawn(process.execPath, script, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** How many arrived since the last call, by address. */
  async arrived(): Promise<Readonly<Record<string, number>>> {
    this.#child.stdin.write("\n");
    const { value } = await this.#lines.next();
    return JSON.parse(String(value)) as Record<string, number>;
  }

  /** Counts what arrives from now until nothing has arrived for half a second, but for at least `least` ms. */
  async untilQuiet(least: number): Promise<Readonly<Record<string, number>>> {
    const all: Record<string, number> = {};
    const end = performance.now() + least;
    for (let quiet = 0; quiet < 5 || performance.now() < end;) {
      await sleep(100);
      const arrived = Object.entries(await this.arrived());
      quiet = arrived.length === 0 ? quiet + 1 : 0;
      for (const [address, count] of arrived) all[address] = (all[address] ?? 0) + count;
    }
    return all;
  }

  async close(): Promise<void> {
    this.#child.kill();
    await once(this.#child, "exit");
  }
}
