/**
 * What may still be done for the line at hand, counted and not timed, so that a busy machine misses nothing that an idle one
 * finds. A byte read or walked over is one, as is a node looked at in making a state: some 2 to 4 ns each.
 */
export interface LineWork {
  left: number;
}
