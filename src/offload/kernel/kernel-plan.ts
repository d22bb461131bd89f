import type { AddressRanges, Ranges } from "../../core/ranges.ts";
import type { IgnoredSet } from "./jail-rules.ts";
import type { KernelJail } from "./kernel-jail.ts";

/** What the kernel shall count. */
export interface KernelPlan {
  readonly jails: readonly KernelJail[];
  /** Addresses that no jail counts. Sorted. */
  readonly ignored: AddressRanges;
  /** Bans that all jails together may make in a second. */
  readonly cap: number;
}

/** The addresses of a set of ignored ones. */
export function rangesFor({ jail, family }: IgnoredSet, { jails, ignored }: KernelPlan): Ranges {
  const own = jails.find(({ name }) => name === jail);
  return (own?.ignored ?? ignored)[family];
}

/** Whether two plans differ at most in the ignored addresses. */
export function sameRules(a: KernelPlan, b: KernelPlan): boolean {
  const rest = ({ jails, cap }: KernelPlan): string =>
    JSON.stringify([cap, jails.map((jail) => ({ ...jail, ignored: null }))], plain);
  return rest(a) === rest(b);
}

export function sameIgnored(a: KernelPlan, b: KernelPlan): boolean {
  const all = ({ jails, ignored }: KernelPlan): string =>
    JSON.stringify([ignored, ...jails.map((jail) => jail.ignored)], plain);
  return all(a) === all(b);
}

/** What JSON cannot express. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Uint32Array) return [...value];
  return value === Number.POSITIVE_INFINITY ? "permanent" : value;
}
