import { type FSWatcher, statfsSync, watch } from "node:fs";
import { factOf } from "../../core/errors.ts";

/**
 * Rings once when something happens to a file or folder, then is silent until it is set again. A writer in full flow
 * would ring for every line; read on a short timer instead, and set the alarm again when all is quiet.
 */
export class Alarm {
  #watcher: FSWatcher | null = null;

  /** Null when it is set, else why this file cannot be watched: a fact. */
  set(path: string, ring: () => void): string | null {
    this.clear();
    try {
      const { type } = statfsSync(path);
      if (REMOTE.has(type >>> 0)) return "it lies on a network file system";
      const watcher = watch(path);
      this.#watcher = watcher;
      const once = (): void => {
        if (this.#watcher !== watcher) return;
        this.clear();
        ring();
      };
      watcher.on("change", once);
      watcher.on("error", once);
      return null;
    } catch (thrown) {
      const code = (thrown as NodeJS.ErrnoException).code;
      return code === "ENOSPC" ? "fs.inotify.max_user_watches is reached" : factOf(thrown);
    }
  }

  clear(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}

/** File systems on which others write without this kernel's knowledge (linux/magic.h): NFS, SMB, CIFS, SMB2, 9P, FUSE, AFS, Ceph. */
const REMOTE: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x5346414f, 0x00c36400,
]);
