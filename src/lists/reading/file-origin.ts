import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FolderWatch } from "../../source/file/folder-watch.ts";
import { findListFiles } from "./list-files.ts";
import type { ListOrigin, Offer } from "./origin.ts";

/**
 * A file or a folder of files. The folder's alarm tells of most changes at once; what it cannot tell, such as writes behind a link,
 * is found by a look every ten seconds. What still changes is waited for, so that half a file is not taken for all of it.
 */
export class FileOrigin implements ListOrigin {
  state = "not started";
  readonly #path: string;
  readonly #warn: (fact: string) => void;
  #wake: () => void = () => {};
  #stirred = false;

  constructor(path: string, warn: (fact: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  async run(offer: Offer, signal: AbortSignal): Promise<void> {
    const watch = new FolderWatch(() => {
      this.#stirred = true;
      this.#wake();
    });
    let offered = "";
    try {
      while (!signal.aborted) {
        watch.watch(new Set([dirname(this.#path), ...this.#folder()]));
        const files = await this.#settled(offered, signal);
        if (typeof files === "string") this.#waits(files);
        else {
          this.state = `follows ${this.#path}`;
          if (files.signature !== offered) {
            offered = files.signature;
            await offer(files.paths);
          }
        }
        await this.#rest(signal);
      }
    } finally {
      watch.close();
      this.state = "stopped";
    }
  }

  released(): void {}

  #waits(fact: string): void {
    const state = `waits for ${this.#path}: ${fact}`;
    if (state !== this.state) this.#warn(`Cannot read ${this.#path}: ${fact}; what was there stays`);
    this.state = state;
  }

  /** The folder itself, where the list is one. */
  #folder(): readonly string[] {
    const files = findListFiles(this.#path);
    return typeof files === "string" || files.paths[0] === this.#path ? [] : [this.#path];
  }

  /** What is there when two looks in a row show the same; what changes all the time is taken as it is. */
  async #settled(offered: string, signal: AbortSignal) {
    let files = findListFiles(this.#path);
    for (let looks = 0; looks < PATIENCE; looks++) {
      if (typeof files === "string" || files.signature === offered) break;
      const before = files.signature;
      await sleep(LOOK_EVERY, undefined, { signal });
      files = findListFiles(this.#path);
      if (typeof files !== "string" && files.signature === before) break;
    }
    return files;
  }

  /** Until something happens. For two seconds behind an alarm looks are frequent: it does not ring twice. */
  async #rest(signal: AbortSignal): Promise<void> {
    const recent = this.#stirred;
    this.#stirred = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, recent ? AFTER_ALARM : LOOK_ANYWAY);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) this.#wake();
      signal.addEventListener("abort", this.#wake, { once: true });
    });
    signal.removeEventListener("abort", this.#wake);
  }
}

/** Milliseconds. */
const LOOK_EVERY = 100;
const AFTER_ALARM = 2000;
const LOOK_ANYWAY = 10_000;

/** Looks. */
const PATIENCE = 100;
