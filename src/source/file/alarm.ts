import { type FSWatcher, statfsSync, watch } from "node:fs";
import { factOf } from "../../core/errors.ts";

/**
 * One event from inotify: rings once when a file or folder changes, then stays silent until it is set again. A busy writer
 * would cause an event for every line; poll on a short timer instead, and set the alarm again when the file is quiet.
 */
export class Alarm {
  #watcher: FSWatcher | null = null;

  /** Null on success, else why the path cannot be watched. */
  set(path: string, ring: () => void): string | null {
    this.clear();
    try {
      const { type } = statfsSync(path);
      if (REMOTE.has(type >>> 0)) return "network file systems cannot be watched";
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

/** File systems on which other machines write unnoticed by this kernel (linux/magic.h): NFS, SMB, CIFS, SMB2, 9P, FUSE, AFS, Ceph. */
const REMOTE: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x5346414f, 0x00c36400,
]);
