import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packageRoot } from "../../src/config/package-root.ts";
import type { Namespace } from "./namespace.ts";
import type { Visits, VisitTask } from "./visitors.ts";

/** A running visitors.ts in a namespace. */
export class Visiting {
  readonly #process;
  #visits: Visits = { served: 0, failed: 0 };
  #rest = "";

  constructor(namespace: Namespace, task: VisitTask) {
    const root = packageRoot();
    const program = [join(root, "scripts/run-ts.mjs"), join(root, "test/support/visitors.ts")];
    this.#process = spawn(
      "ip",
      ["netns", "exec", namespace.name, process.execPath, ...program, JSON.stringify(task)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    this.#process.stdout.on("data", (chunk: Buffer) => {
      const lines = (this.#rest + chunk.toString()).split("\n");
      this.#rest = lines.pop() ?? "";
      const last = lines.at(-1);
      if (last !== undefined) this.#visits = JSON.parse(last) as Visits;
    });
  }

  get visits(): Visits {
    return this.#visits;
  }

  /** Visitors served per second during the next `milliseconds`. */
  async rate(milliseconds: number): Promise<number> {
    const before = this.#visits.served;
    const started = performance.now();
    await sleep(milliseconds);
    return ((this.#visits.served - before) * 1000) / (performance.now() - started);
  }

  stop(): void {
    this.#process.kill("SIGKILL");
  }
}
