import { setFlagsFromString } from "node:v8";

/**
 * Turns V8's optimizing compiler off while the daemon starts: code that is hot then never runs again, and the compiler's code and its thread
 * take 5 MB.
 */
export function postponeOptimizing(): void {
  setFlagsFromString("--no-turbofan");
}

/** Turns it on again: from here on, hot code is worth compiling. */
export function startOptimizing(): void {
  setFlagsFromString("--turbofan");
}
