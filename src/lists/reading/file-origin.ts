import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FolderWatch } from "../../source/file/folder-watch.ts";
import { findListFiles } from "./list-files.ts";
import type { ListOrigin, Offer } from "./origin.ts";

/**
 * A file or a folder of files. A watch on the folder reports most changes at once; a check every ten seconds finds the others, such as
 * writes behind a link. Files that still change are not read yet, so half a file is not taken for a whole one.
 */
export class FileOrigin implements ListOrigin {
  state = "not started";
  readonly #path: string;
  readonly #warn: (fact: string) => void;
  #wake: () => void = () => {};
  #changed = false;

  constructor(path: string, warn: (fact: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  async run(offer: Offer, signal: AbortSignal): Promise<void> {
    const watch = new FolderWatch(() => {
      this.#changed = true;
      this.#wake();
    });
    let offered = "";
    let everOffered = false;
    try {
      while (!signal.aborted) {
        watch.watch(new Set([dirname(this.#path), ...this.#folder()]));
        const files = await this.#stable(offered, signal);
        if (typeof files === "string") {
          this.#waits(files, everOffered);
          offered = ""; // offered again when it is back, even if it is the same: the trouble is over then
        } else {
          this.state = `follows ${this.#path}`;
          if (files.signature !== offered) {
            offered = files.signature;
            everOffered = true;
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

  /** Without a version since the start, the kernel may still hold the one of the last run: its size is not known here. */
  #waits(fact: string, hasVersion: boolean): void {
    const state = `waits for ${this.#path}: ${fact}`;
    const rest = hasVersion
      ? "the previous version stays in use"
      : "the firewall keeps what it holds of the list";
    if (state !== this.state) this.#warn(`Cannot read ${this.#path}: ${fact}; ${rest}`);
    this.state = state;
  }

  /** The folder to watch: the list itself, or the one that contains it. */
  #folder(): readonly string[] {
    const files = findListFiles(this.#path);
    return typeof files === "string" || files.paths[0] === this.#path ? [] : [this.#path];
  }

  /** The files once two checks in a row agree, or after MOST_CHECKS. */
  async #stable(offered: string, signal: AbortSignal) {
    let files = findListFiles(this.#path);
    for (let checks = 0; checks < MOST_CHECKS; checks++) {
      if (typeof files === "string" || files.signature === offered) break;
      const before = files.signature;
      await sleep(CHECK_EVERY, undefined, { signal });
      files = findListFiles(this.#path);
      if (typeof files !== "string" && files.signature === before) break;
    }
    return files;
  }

  /** Waits for a change. For two seconds after a watch event checks are frequent: it fires only once. */
  async #rest(signal: AbortSignal): Promise<void> {
    const recent = this.#changed;
    this.#changed = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, recent ? AFTER_CHANGE : POLL_EVERY);
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
const CHECK_EVERY = 100;
const AFTER_CHANGE = 2000;
const POLL_EVERY = 10_000;

const MOST_CHECKS = 100;
