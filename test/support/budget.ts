/**
 * Seconds that the search for slow lines may take. It also decides how thorough the other tests with random input and floods are:
 * .ci/run sets STOPLOG_FUZZ_SECONDS=20; a full run has 60, and a developer's run is shorter.
 */
export const FUZZ_SECONDS = Number(process.env["STOPLOG_FUZZ_SECONDS"] ?? 10);

/** From this on, everything is run in full. */
const FULL_SECONDS = 60;

/** Runs of a property test: `full` in a full run, a share of them in a shorter one. */
export function runs(full: number): number {
  return Math.max(1, Math.round(full * Math.min(1, FUZZ_SECONDS / FULL_SECONDS)));
}

/** The size of a flood: `full` in a full run, `short` elsewhere. */
export function flood(full: number, short: number): number {
  return FUZZ_SECONDS >= FULL_SECONDS ? full : short;
}
