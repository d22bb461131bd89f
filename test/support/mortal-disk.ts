import type * as fs from "node:fs";
import type * as promises from "node:fs/promises";

/**
 * The file system as a process sees it that is killed at a chosen step. Every operation that changes a file has a step before it and one after it, a
 * write also one with half of its bytes. From the kill on nothing is changed: promises stay pending, synchronous calls throw, as good as a process
 * that is gone. Reading is free.
 */
class MortalDisk {
  #left = Number.POSITIVE_INFINITY;
  #running = 0;
  #isDead = false;
  #die: () => void = () => undefined;
  /** Open for writing; the system closes them when the process is killed. */
  readonly files = new Set<promises.FileHandle>();
  readonly descriptors = new Map<number, () => void>();
  /** Whether only asynchronous calls count as steps. */
  sparesSynchronous = false;
  /** Resolves when the process is killed. */
  death: Promise<void> = Promise.resolve();

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Starts a life that ends after so many steps. */
  live(steps: number): void {
    this.#left = steps;
    this.#isDead = false;
    this.death = new Promise((resolve) => (this.#die = resolve));
  }

  /** Kills now. Resolves when the system has done what it was asked before. */
  async kill(): Promise<void> {
    this.#left = 0;
    this.#isDead = true;
    this.#die();
    while (this.#running > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const file of this.files) await file.close();
    this.files.clear();
    for (const close of this.descriptors.values()) close();
    this.descriptors.clear();
  }

  /** Counts a step; false when the process is dead, or dies here. */
  step(): boolean {
    if (this.#isDead) return false;
    if (this.#left-- > 0) return true;
    this.#isDead = true;
    this.#die();
    return false;
  }

  async change<Result>(work: () => Promise<Result>): Promise<Result> {
    if (!this.step()) return pending();
    this.#running++;
    const outcome = await work().then(
      (result) => ({ result }),
      (thrown: unknown) => ({ thrown }),
    );
    this.#running--;
    if (this.#isDead || !this.step()) return pending();
    if ("thrown" in outcome) throw outcome.thrown;
    return outcome.result;
  }

  changeNow<Result>(work: () => Result): Result {
    if (this.sparesSynchronous && !this.#isDead) return work();
    if (!this.step()) throw new Error("killed");
    const result = work();
    if (!this.step()) throw new Error("killed");
    return result;
  }
}

export const disk = new MortalDisk();

function pending<Result>(): Promise<Result> {
  return new Promise(() => undefined);
}

/** For `vi.mock("node:fs/promises")`. */
export function mortalPromises(real: typeof promises): typeof promises {
  const open = async (...args: Parameters<typeof promises.open>): Promise<promises.FileHandle> => {
    const isWrite = args[1] !== undefined && args[1] !== "r";
    if (!isWrite) return real.open(...args);
    const opened = async (): Promise<promises.FileHandle> => {
      const file = await real.open(...args);
      disk.files.add(file);
      return file;
    };
    return mortalFile(await disk.change(opened));
  };
  return {
    ...real,
    open,
    rm: (...args) => disk.change(() => real.rm(...args)),
    unlink: (...args) => disk.change(() => real.unlink(...args)),
    rename: (...args) => disk.change(() => real.rename(...args)),
  };
}

function mortalFile(file: promises.FileHandle): promises.FileHandle {
  return new Proxy(file, {
    get(target, key) {
      if (key === "appendFile")
        return async (text: string, encoding: BufferEncoding) => {
          const half = text.length >> 1;
          await disk.change(() => target.appendFile(text.slice(0, half), encoding));
          await disk.change(() => target.appendFile(text.slice(half), encoding));
        };
      if (key === "close") {
        disk.files.delete(target);
        return () => target.close();
      }
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) =>
        disk.change(async (): Promise<unknown> => Reflect.apply(value as () => unknown, target, args));
    },
  });
}

/** For `vi.mock("node:fs")`: `writeSync` takes half of the bytes first, as a nearly full disk does. */
export function mortalFs(real: typeof fs): typeof fs {
  const writeSync = (file: number, bytes: Uint8Array, from = 0): number =>
    disk.changeNow(() => real.writeSync(file, bytes, from, Math.max(1, (bytes.length - from) >> 1)));
  const openSync: typeof fs.openSync = (...args) => {
    const file = real.openSync(...args);
    if (args[1] === "a" || typeof args[1] === "number")
      disk.descriptors.set(file, () => real.closeSync(file));
    return file;
  };
  const closeSync = (file: number): void => {
    disk.descriptors.delete(file);
    real.closeSync(file);
  };
  return { ...real, writeSync, openSync, closeSync } as typeof fs;
}
