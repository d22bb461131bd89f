import { statSync } from "node:fs";
import { Alarm } from "./alarm.ts";

/**
 * Tells when a name appears in one of some folders, or goes. A folder's alarm rings for every write to every file in
 * it, so after it rang only the folder's own time is looked at, every 10 ms at first and then every 100 ms, until it has been
 * quiet for a second: a rotation moves one file away and makes the next a moment later.
 */
export class FolderWatch {
  readonly #onChange: () => void;
  readonly #folders = new Map<string, Folder>();
  #timer: NodeJS.Timeout | undefined;
  /** Why folders cannot be watched and are looked at by a timer; empty when they can. */
  fault = "";

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** These folders from now on. True when one of them is new: what happened in it before now was told to nobody. */
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

  /** Names may have changed or only a file's permissions: whoever listens finds out. */
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
  /** Its time of change at the last look, in ms. */
  changed: number;
  /** Looks since its alarm rang; RESTING while the alarm is set. */
  quiet: number;
}

const RESTING = -1;
/** In ms. */
const LOOK_SOON = 10;
const LOOK_EVERY = 100;
/** So many looks come soon, and so many in all until the alarm is set again. */
const SOON_LOOKS = 20;
const QUIET_LOOKS = SOON_LOOKS + 8;
/** File times move in steps of the kernel's tick, up to 10 ms: two changes in one step look like one. In ms. */
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
