import type { SourceStats } from "../source.ts";
import type { LineStore } from "./line-store.ts";

/** What a listener works with. */
export interface ListenerParts {
  readonly store: LineStore;
  readonly stats: SourceStats;
  readonly maxLine: number;
  /** It broke and is of no more use; a sentence. */
  readonly onBroken: (thrown: Error) => void;
}

export interface Listener {
  /** 'listens on udp:127.0.0.1:514, …'. */
  readonly state: string;
  /** Takes nothing more, and hands over what it has. */
  close(): Promise<void> | void;
}
