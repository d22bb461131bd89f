import { setTimeout as sleep } from "node:timers/promises";

/** Far more than any condition needs on a quiet machine. */
const MOST_SECONDS = 60;

/** Waits for a condition. Throws with what it waited for, and with what `explain` returns then. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  explain: () => string = () => "",
): Promise<void> {
  const end = performance.now() + MOST_SECONDS * 1000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not met within ${MOST_SECONDS} s: ${what}: ${explain()}`);
    await sleep(10);
  }
}
