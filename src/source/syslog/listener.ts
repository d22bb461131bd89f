import type { SourceStats } from "../source.ts";
import type { LineStore } from "./line-store.ts";

/** What a listener needs. */
export interface ListenerParts {
  readonly store: LineStore;
  readonly stats: SourceStats;
  readonly maxLine: number;
  /** Called when the listener has failed for good. */
  readonly onBroken: (thrown: Error) => void;
}

export interface Listener {
  /** 'listens on udp:127.0.0.1:514, …'. */
  readonly state: string;
  /** Stops receiving, and delivers the waiting lines. */
  close(): Promise<void> | void;
}
