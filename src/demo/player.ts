import type { ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { StoplogError } from "../core/errors.ts";
import type { Order } from "./part.ts";
import type { Place, Stage } from "./stage.ts";
import { thisProgram } from "./this-program.ts";

/** The director's side of one part of the demo; parent.ts is the other side. */
export class Player {
  readonly #child: ChildProcess;
  readonly #role: Order["role"];
  readonly #reports: AsyncIterator<string>;
  #said = "";

  private constructor(stage: Stage, place: Place, order: Order) {
    this.#role = order.role;
    this.#child = stage.spawn(place, thisProgram("demo-part", JSON.stringify(order)));
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      if (this.#said.length < 4096) this.#said += chunk.toString();
    });
    if (this.#child.stdout === null) throw new StoplogError("Cannot run the demo: a part has no output");
    this.#reports = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Starts a part and waits until it is ready. */
  static async ready(stage: Stage, place: Place, order: Order): Promise<Player> {
    const player = new Player(stage, place, order);
    await player.report();
    return player;
  }

  /** `start` in ms since the epoch. */
  begin(start: number): void {
    this.#child.stdin?.write(`${JSON.stringify({ start })}\n`);
  }

  /** The part's next report. Throws when it has ended or sends none in time. */
  async report<Report>(): Promise<Report> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      const complain = (): void => reject(this.#trouble(`sent no report for ${PATIENCE / 1000} s`));
      timer = setTimeout(complain, PATIENCE);
    });
    try {
      const { done, value } = await Promise.race([this.#reports.next(), silence]);
      if (done === true) throw this.#trouble("ended too early");
      return JSON.parse(value) as Report;
    } finally {
      clearTimeout(timer);
    }
  }

  #trouble(what: string): StoplogError {
    const said = this.#said.trim().split("\n")[0] ?? "";
    return new StoplogError(
      `Cannot run the demo: its ${this.#role} ${what}${said === "" ? "" : ` (${said})`}`,
    );
  }
}

/** In ms: reports come every second, but a small machine needs time to start Node. */
const PATIENCE = 15_000;
