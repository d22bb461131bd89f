import { LIMITS } from "../../core/limits.ts";
import type { Argv, ProgramEnd } from "../../core/run-program.ts";

/** Runs a program to its end; never rejects. */
export type RunProgram = (argv: Argv) => Promise<Pick<ProgramEnd, "fact" | "how" | "status">>;

/** The runs of all ignore commands: some at the same time, the others wait, and what is too much is dropped. */
export class IgnoreRuns {
  dropped = 0;
  readonly #run: RunProgram;
  readonly #waiting: Run[] = [];
  #running = 0;

  constructor(run: RunProgram) {
    this.#run = run;
  }

  get isFull(): boolean {
    return this.#waiting.length >= LIMITS.ignoreWaiting.value;
  }

  /** False, and counted, when there is no room. */
  add(run: Run): boolean {
    if (this.isFull) {
      this.dropped++;
      return false;
    }
    this.#waiting.push(run);
    this.#next();
    return true;
  }

  #next(): void {
    if (this.#running >= LIMITS.ignoreRunning.value) return;
    const run = this.#waiting.shift();
    if (run === undefined) return;
    this.#running++;
    void this.#run(run.argv).then((end) => {
      this.#running--;
      run.ended(end);
      this.#next();
    });
  }
}

export interface Run {
  readonly argv: Argv;
  readonly ended: (end: Awaited<ReturnType<RunProgram>>) => void;
}
