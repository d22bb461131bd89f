import { setFlagsFromString } from "node:v8";

/**
 * V8's optimizing compiler, off while the daemon starts: what it would compile then never runs again, and its own code and
 * its thread's memory are 5 MB that a machine at rest need not hold.
 */
export function postponeOptimizing(): void {
  setFlagsFromString("--no-turbofan");
}

/** From here on what runs often gets fast. */
export function startOptimizing(): void {
  setFlagsFromString("--turbofan");
}
