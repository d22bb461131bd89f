import { type ChildProcess, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import { StoplogError } from "../../core/errors.ts";

/** Outcomes of so many attempts to connect. */
export interface Attempts {
  readonly connected: number;
  /** Answered with a reset or an ICMP error. */
  readonly refused: number;
  readonly silent: number;
}

/**
 * A process in a network namespace of its own. It ends with this process, however this one ends, and with it the namespace and the link into it.
 *
 *      stoplog ─ one JSON object a line ─► prober: `ip` commands, connections
 */
export class Prober {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterableIterator<string>;
  #said = "";

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#answers = lines[Symbol.asyncIterator]();
    child.stderr?.on("data", (chunk: Buffer) => (this.#said = chunk.toString("utf8").trim().slice(-300)));
  }

  /** Rejects with a StoplogError when this process may not make a namespace. */
  static async start(): Promise<Prober> {
    const child = spawn("unshare", ["--net", process.execPath, "-e", CODE], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.on("error", () => undefined);
    child.stdin.on("error", () => undefined);
    const prober = new Prober(child, createInterface({ input: child.stdout }));
    await prober.#ask({ kind: "hello" });
    return prober;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Runs `ip` in the namespace. */
  async ip(args: readonly string[]): Promise<void> {
    const { fact } = (await this.#ask({ kind: "ip", args })) as { readonly fact: string | null };
    if (fact !== null)
      throw new StoplogError(`Cannot prepare a network namespace: ip ${args.join(" ")}: ${fact}`);
  }

  /** Tries to connect `tries` times at once; one that has no answer after `patience` ms counts as silent. */
  async connect(host: string, port: number, tries: number, patience: number): Promise<Attempts> {
    return (await this.#ask({ kind: "connect", host, port, tries, patience })) as Attempts;
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }

  async #ask(question: unknown): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    const { value, done } = (await this.#answers.next()) as IteratorResult<string, undefined>;
    if (done === true || value === undefined)
      throw new StoplogError(
        `Cannot make a network namespace: ${this.#said === "" ? "unshare failed" : this.#said}`,
      );
    return JSON.parse(value) as unknown;
  }
}

/** Runs in the namespace, in a process of its own, which has no other code than this. */
const CODE = `
const { spawnSync } = require("node:child_process");
const net = require("node:net");
const attempt = ({ host, port, patience }) => new Promise((resolve) => {
  const socket = net.connect({ host, port });
  const end = (outcome) => { clearTimeout(timer); socket.destroy(); resolve(outcome); };
  const timer = setTimeout(() => end("silent"), patience);
  socket.on("connect", () => end("connected"));
  socket.on("error", ({ code }) => end(code === "ETIMEDOUT" ? "silent" : "refused"));
});
const answers = {
  hello: () => ({}),
  ip: ({ args }) => {
    const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
    return { fact: status === 0 ? null : (error?.message ?? stderr.trim()) };
  },
  connect: async (question) => {
    const counts = { connected: 0, refused: 0, silent: 0 };
    const outcomes = await Promise.all(Array.from({ length: question.tries }, () => attempt(question)));
    for (const outcome of outcomes) counts[outcome]++;
    return counts;
  },
};
let before = Promise.resolve();
require("node:readline").createInterface({ input: process.stdin })
  .on("line", (line) => {
    before = before.then(async () => {
      const question = JSON.parse(line);
      process.stdout.write(JSON.stringify(await answers[question.kind](question)) + "\\n");
    });
  })
  .on("close", () => process.exit(0));
`;
