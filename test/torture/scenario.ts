import type { Random } from "./random.ts";

/** One way to attack the daemon, repeated in rounds until the time has passed. */
export interface Scenario {
  readonly name: string;
  /** A sentence: what a round does, and what must hold afterwards. */
  readonly what: string;
  /** Makes what the rounds share: namespaces, folders, a daemon. */
  readonly open: () => Promise<Opened>;
}

export interface Opened {
  /**
   * Resolves with what was done, in a few words for the report. Rejects with a `Breach` when an invariant does not hold; any other error means
   * that the scenario itself is broken.
   */
  readonly round: (random: Random) => Promise<string>;
  readonly close: () => Promise<void> | void;
}

/** An invariant that does not hold. */
export class Breach extends Error {
  override readonly name = "Breach";
}
