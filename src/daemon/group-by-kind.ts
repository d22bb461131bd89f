import { StoplogError } from "../core/errors.ts";
import { dryRun } from "../enforce/dry-run/kind.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import { kindNamed } from "../enforce/kinds.ts";

/** The targets by the kind of their enforcers; in a dry run, all by the dry run. Throws a StoplogError when two kinds write the same table. */
export function groupByKind(
  targets: readonly TargetSpec[],
  isDryRun: boolean,
): ReadonlyMap<string, readonly TargetSpec[]> {
  const groups = new Map<string, TargetSpec[]>();
  for (const target of targets) {
    const kind = isDryRun ? dryRun.name : target.enforcer;
    const group = groups.get(kind) ?? [];
    // A dry run needs each name once, however many enforcers it has.
    if (isDryRun && group.some(({ name }) => name === target.name)) continue;
    groups.set(kind, [...group, target]);
  }
  const kinds = [...groups.keys()];
  for (const [i, kind] of kinds.entries()) {
    const rival = kinds.slice(0, i).find((other) => areRivals(kind, other));
    if (rival !== undefined)
      throw new StoplogError(
        `Cannot use the enforcers ${rival} and ${kind} together: both write ${kindNamed(kind).owns}`,
      );
  }
  if (groups.size === 0) throw new StoplogError("Cannot enforce bans: the configuration has no targets");
  return groups;
}

/** Whether both own the same table, so that only one of them may run. */
export function areRivals(one: string, other: string): boolean {
  const { owns } = kindNamed(one);
  return one !== other && owns !== undefined && owns === kindNamed(other).owns;
}
