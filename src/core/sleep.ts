import type { Duration } from "./time.ts";

/** Resolves after a time, or when the signal aborts. Does not keep the process running. */
export function sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, duration).unref();
    signal?.addEventListener("abort", done);
  });
}
