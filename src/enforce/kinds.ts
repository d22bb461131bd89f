import { StoplogError } from "../core/errors.ts";
import { type Limit, LIMITS } from "../core/limits.ts";
import { command } from "./command/kind.ts";
import { dryRun } from "./dry-run/kind.ts";
import { hostsDeny } from "./hosts-deny/kind.ts";
import { ipset } from "./ipset/kind.ts";
import { iptables } from "./iptables/kind.ts";
import type { TargetSpec } from "./enforcer.ts";
import type { EnforcerKind } from "./kind.ts";
import { nft } from "./nft-program/kind.ts";
import { nftSet } from "./nft-set/kind.ts";
import { nftables } from "./nftables/kind.ts";
import { proxy } from "./proxy/kind.ts";
import { recent } from "./recent/kind.ts";
import { route } from "./route/kind.ts";

/** Every kind of enforcer, in the order of the reference. The first is that of a target that names none. */
export const ENFORCER_KINDS: readonly EnforcerKind[] = [
  nftables,
  nft,
  nftSet,
  ipset,
  iptables,
  recent,
  hostsDeny,
  route,
  proxy,
  command,
  dryRun,
];

/** Every bound of the program, by its name. */
export function allLimits(): Readonly<Record<string, Limit>> {
  return Object.assign({}, LIMITS, ...ENFORCER_KINDS.map(({ limits }) => limits)) as Record<string, Limit>;
}

/** The kind of that name. Throws a StoplogError when there is none. */
export function kindNamed(name: string): EnforcerKind {
  const kind = ENFORCER_KINDS.find((one) => one.name === name);
  if (kind === undefined) throw new StoplogError(`Cannot enforce by ${name}: it is not a kind of enforcer`);
  return kind;
}

/** The kind of a target. */
export function kindOf({ enforcer }: TargetSpec): EnforcerKind {
  return kindNamed(enforcer);
}

/** What only one daemon may write for such a target: objects of the kernel, absolute paths of files. */
export function placesOf(spec: TargetSpec): readonly string[] {
  const kind = kindOf(spec);
  return kind.places?.(spec) ?? (kind.owns === undefined ? [] : [kind.owns]);
}
