/**
 * Seconds that the search for slow lines may take. It also decides how thorough the other tests with random input and floods are:
 * .ci/run sets STOPLOG_FUZZ_SECONDS=60, and a developer's run is shorter.
 */
export const FUZZ_SECONDS = Number(process.env["STOPLOG_FUZZ_SECONDS"] ?? 10);

/** Everything is run in full from here on. */
const FULL_SECONDS = 60;

/** Runs of a property test: `full` in CI, a share of them in a shorter run. */
export function runs(full: number): number {
  return Math.max(1, Math.round(full * Math.min(1, FUZZ_SECONDS / FULL_SECONDS)));
}

/** The size of a flood: `full` in CI, `short` elsewhere. */
export function flood(full: number, short: number): number {
  return FUZZ_SECONDS >= FULL_SECONDS ? full : short;
}
