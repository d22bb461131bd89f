import { setTimeout as sleep } from "node:timers/promises";

/** Far more than anything needs on a quiet machine. */
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

/** Repeats an assertion until it holds. Throws its last error. */
export async function eventually(assertion: () => unknown): Promise<void> {
  const end = performance.now() + MOST_SECONDS * 1000;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(10);
  }
}

/** Keeps the event loop from anything else for this long. */
export function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
