import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { createInterface } from "node:readline";
import { bundledEngine } from "./engine-bundle.ts";
import { atEnd } from "./leftovers.ts";
import type { Namespace } from "./namespace.ts";
import { WrongResult } from "./outcome.ts";
import { environment } from "./program.ts";

/** Records when each address was banned, in nanoseconds of the monotonic clock, which all processes share. */
export class BanWatch {
  readonly #bannedAt = new Map<string, bigint>();
  #last = 0n;
  #lost = false;
  #stop: () => void = () => {};
  #onChange: (() => void) | null = null;

  /** From the kernel's notifications of elements added to a table's sets, to the microsecond. */
  static async ofKernel(space: Pick<Namespace, "wrap">, table: string): Promise<BanWatch> {
    const [file = "", ...args] = space.wrap([...(await bundledEngine("watch-sets")), table]);
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], env: environment() });
    const watch = new BanWatch();
    watch.#stop = atEnd(() => stopped(child));
    await new Promise<void>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", () => reject(new WrongResult("the watch over the kernel's sets has ended")));
      createInterface({ input: child.stdout }).on("line", (line) => {
        if (line === "listening") return resolve();
        if (line === "lost") watch.#lost = true;
        const [at = "0", address = ""] = line.split(" ");
        watch.#take(address, BigInt(at));
      });
    });
    return watch;
  }

  /** From a file to which the daemon's action appends one address per line, read every two milliseconds. */
  static ofFile(path: string): BanWatch {
    const watch = new BanWatch();
    const fd = openSync(path, "a+");
    const buffer = Buffer.alloc(1 << 20);
    let position = 0;
    let rest = "";
    const timer = setInterval(() => {
      const size = readSync(fd, buffer, 0, buffer.length, position);
      if (size === 0) return;
      position += size;
      const lines = `${rest}${buffer.toString("latin1", 0, size)}`.split("\n");
      rest = lines.pop() ?? "";
      const now = process.hrtime.bigint();
      for (const address of lines) watch.#take(address, now);
    }, 2);
    watch.#stop = () => {
      clearInterval(timer);
      closeSync(fd);
    };
    return watch;
  }

  /** Number of banned addresses. */
  get size(): number {
    return this.#bannedAt.size;
  }

  /** Time of the last ban. */
  get last(): bigint {
    return this.#last;
  }

  /** Starts over: earlier bans were the daemon's tests of the kernel's features. */
  forget(): void {
    this.#bannedAt.clear();
  }

  bannedAt(address: string): bigint | undefined {
    return this.#bannedAt.get(address);
  }

  /** Resolves true once `size` have been banned, false after the deadline. Throws when notifications were lost. */
  async until(size: number, timeoutMs: number): Promise<boolean> {
    return this.#wait(() => this.#bannedAt.size >= size, timeoutMs);
  }

  /** Resolves to the time of the ban, or to null after the deadline. */
  async untilBanned(address: string, timeoutMs: number): Promise<bigint | null> {
    await this.#wait(() => this.#bannedAt.has(address), timeoutMs);
    return this.#bannedAt.get(address) ?? null;
  }

  close(): void {
    this.#stop();
  }

  #take(address: string, at: bigint): void {
    if (address !== "" && !this.#bannedAt.has(address)) {
      this.#last = at;
      this.#bannedAt.set(address, at);
    }
    this.#onChange?.();
  }

  async #wait(done: () => boolean, timeoutMs: number): Promise<boolean> {
    const reached = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(done()), timeoutMs);
      this.#onChange = () => {
        if (!done() && !this.#lost) return;
        clearTimeout(timer);
        resolve(done());
      };
      this.#onChange();
    });
    this.#onChange = null;
    if (this.#lost)
      throw new WrongResult(
        "the kernel's notifications came faster than they were read: no figure is possible",
      );
    return reached;
  }
}

function stopped(child: ChildProcess): void {
  child.removeAllListeners("exit");
  child.kill("SIGKILL");
}
