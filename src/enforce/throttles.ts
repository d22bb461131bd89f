import type { TargetSpec } from "./enforcer.ts";

/** Whether a ban there lets some packets pass: no enforcer of the target drops or rejects them all. */
export function throttles(enforcers: readonly TargetSpec[]): boolean {
  return enforcers.length > 0 && enforcers.every(isThrottle);
}

function isThrottle(spec: TargetSpec & { readonly verdict?: { readonly kind: string } }): boolean {
  return spec.verdict?.kind === "throttle";
}
