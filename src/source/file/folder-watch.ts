import { statSync } from "node:fs";
import { Alarm } from "./alarm.ts";

/**
 * Reports when a name appears in, or disappears from, one of several folders. The alarm of a folder rings for every write to
 * every file in it. So after it rang, only the folder's modification time is polled, every 10 ms at first and every 100 ms
 * later, until it has been quiet for a second: a rotation renames one file and creates the next a moment later.
 */
export class FolderWatch {
  readonly #onChange: () => void;
  readonly #folders = new Map<string, Folder>();
  #timer: NodeJS.Timeout | undefined;
  /** Why folders are polled instead of watched; empty when they are watched. */
  fault = "";

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches exactly these folders. True when one of them is new: the caller must check it for earlier changes. */
  watch(paths: ReadonlySet<string>): boolean {
    for (const [path, folder] of this.#folders) {
      if (paths.has(path)) continue;
      folder.alarm.clear();
      this.#folders.delete(path);
    }
    let added = false;
    for (const path of paths) {
      if (this.#folders.has(path)) continue;
      const folder: Folder = { path, alarm: new Alarm(), changed: changeTime(path), quiet: 0 };
      this.#folders.set(path, folder);
      this.#rest(folder);
      added = true;
    }
    this.#schedule();
    return added;
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const folder of this.#folders.values()) folder.alarm.clear();
    this.#folders.clear();
  }

  #rest(folder: Folder): void {
    const fact = folder.alarm.set(folder.path, () => this.#rang(folder));
    folder.quiet = fact === null ? RESTING : 0;
    if (fact !== null) this.fault = fact;
  }

  /** The event may be about a name or only about a file's permissions: the listener checks. */
  #rang(folder: Folder): void {
    folder.quiet = 0;
    folder.changed = changeTime(folder.path);
    this.#schedule();
    this.#onChange();
  }

  #schedule(): void {
    const awake = [...this.#folders.values()].filter((folder) => folder.quiet !== RESTING);
    if (awake.length === 0) return;
    const soon = awake.some((folder) => folder.quiet < SOON_LOOKS);
    this.#timer ??= setTimeout(() => this.#look(), soon ? LOOK_SOON : LOOK_EVERY);
  }

  #look(): void {
    this.#timer = undefined;
    let news = false;
    for (const folder of this.#folders.values()) {
      if (folder.quiet === RESTING) continue;
      folder.quiet++;
      news = isNews(folder) || news;
      if (folder.quiet < QUIET_LOOKS) continue;
      this.#rest(folder);
      news = isNews(folder) || news;
    }
    this.#schedule();
    if (news) this.#onChange();
  }
}

interface Folder {
  readonly path: string;
  readonly alarm: Alarm;
  /** Modification time at the last look, in ms. */
  changed: number;
  /** Looks since the alarm rang; RESTING while the alarm is set. */
  quiet: number;
}

const RESTING = -1;
/** In ms. */
const LOOK_SOON = 10;
const LOOK_EVERY = 100;
/** Looks at the short interval, and all looks until the alarm is set again. */
const SOON_LOOKS = 20;
const QUIET_LOOKS = SOON_LOOKS + 8;
/** Resolution of file times with a margin, in ms: the kernel's tick is up to 10 ms, and two changes in one tick look like one. */
const TIME_STEP = 20;

function isNews(folder: Folder): boolean {
  const changed = changeTime(folder.path);
  const interval = folder.quiet <= SOON_LOOKS ? LOOK_SOON : LOOK_EVERY;
  const news = changed !== folder.changed || Date.now() - changed < TIME_STEP + interval;
  if (changed !== folder.changed) folder.quiet = Math.min(folder.quiet, 0);
  folder.changed = changed;
  return news;
}

function changeTime(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  } catch {
    return 0;
  }
}
