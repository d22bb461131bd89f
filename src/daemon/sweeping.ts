import { setImmediate as nextTurn } from "node:timers/promises";

/** Takes away up to `limit` of what is over; answers how many there were. */
export type Sweep = (limit: number) => number;

/** What is over goes a little in each turn of the event loop: a hundred thousand bans can end at the same moment. */
export class Sweeping {
  #busy = false;

  /** Begins one round, unless the last one still goes on. The first step of each is done when this returns, if that is all. */
  start(sweeps: readonly Sweep[]): void {
    if (this.#busy) return;
    this.#busy = true;
    void sweepAll(sweeps).finally(() => {
      this.#busy = false;
    });
  }
}

/** Of each in one turn: some milliseconds, since what is over lies anywhere in memory. */
const AT_ONCE = 1000;
/** Of each in one round. */
const MOST = 20_000;

async function sweepAll(sweeps: readonly Sweep[]): Promise<void> {
  for (const sweep of sweeps) {
    for (let swept = 0; swept < MOST; swept += AT_ONCE) {
      if (sweep(AT_ONCE) < AT_ONCE) break;
      await nextTurn();
    }
  }
}
