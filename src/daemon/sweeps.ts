import { setImmediate as nextTurn } from "node:timers/promises";

/** Removes up to `limit` expired entries; returns how many it removed. */
export type Sweep = (limit: number) => number;

/** Removes expired entries in small steps, with turns of the event loop between them: a hundred thousand bans can end at the same moment. */
export class Sweeps {
  #busy = false;

  /** Starts a round unless the last one is still going. A round that is small is done when this returns. */
  start(sweeps: readonly Sweep[]): void {
    if (this.#busy) return;
    this.#busy = true;
    void sweepAll(sweeps).finally(() => {
      this.#busy = false;
    });
  }
}

/** Entries in one turn: some milliseconds, since expired entries lie anywhere in memory. */
const AT_ONCE = 1000;
/** Entries of one sweep in one round. */
const MOST = 20_000;

async function sweepAll(sweeps: readonly Sweep[]): Promise<void> {
  for (const sweep of sweeps) {
    for (let swept = 0; swept < MOST; swept += AT_ONCE) {
      if (sweep(AT_ONCE) < AT_ONCE) break;
      await nextTurn();
    }
  }
}
