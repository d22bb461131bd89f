import type { Duration, Instant } from "./time.ts";

/** Whether what waits for `next` is due. Also when the clock was set back: it never waits longer than `pause`. */
export function isDue(now: Instant, next: Instant, pause: Duration): boolean {
  return now >= next || now < next - pause;
}
