/**
 * The work left for the current line. It is counted, not timed, so that a busy machine finds the same as an idle one. One unit is a byte read or
 * walked over, or a node visited to make a state: 2 to 4 ns.
 */
export interface LineWork {
  left: number;
}
