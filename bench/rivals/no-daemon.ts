import { Namespace } from "../harness/namespace.ts";
import type { DaemonRival } from "./daemon.ts";

/** A process that does nothing, to compare with. */
export const noDaemon: DaemonRival = {
  missing: () => Namespace.missing(),
  note: "nothing reads the log",
  // Never made: the watch for bans runs as it does for the daemons.
  table: "stoplog-bench-neither",
  prepare: () => ["sleep", "infinity"],
  isReady: () => true,
  counted: () => Promise.resolve(0),
};
