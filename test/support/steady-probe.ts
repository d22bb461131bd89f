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

  /** How many were sent from each address since the last call, and how many arrived, by address. */
  async read(): Promise<{ readonly sent: number; readonly arrived: Readonly<Record<string, number>> }> {
    this.#child.stdin.write("\n");
    const { value } = await this.#lines.next();
    return JSON.parse(String(value)) as Awaited<ReturnType<SteadyProbe["read"]>>;
  }

  /** Counts what arrives from now until half a second's datagrams did not, but for at least `least` ms. */
  async untilQuiet(least: number): Promise<Readonly<Record<string, number>>> {
    const all: Record<string, number> = {};
    const end = performance.now() + least;
    // Of datagrams that were sent: on a busy machine the sender may rest.
    for (let lost = 0; lost < 500 || performance.now() < end;) {
      await sleep(100);
      const { sent, arrived } = await this.read();
      const came = Object.entries(arrived);
      lost = came.length === 0 ? lost + sent : 0;
      for (const [address, count] of came) all[address] = (all[address] ?? 0) + count;
    }
    return all;
  }

  async close(): Promise<void> {
    this.#child.kill();
    await once(this.#child, "exit");
  }
}
