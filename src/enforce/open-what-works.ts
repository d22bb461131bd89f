import type { TargetSpec } from "./enforcer.ts";

export interface Opened {
  readonly specs: readonly TargetSpec[];
  /** What was thrown for each target that could not be opened, by its name. */
  readonly faults: ReadonlyMap<string, unknown>;
}

type Open = (specs: readonly TargetSpec[]) => Promise<void>;

/**
 * Opens targets; those that may fail and cannot be opened are left out. Rejects when another one, or none at all, can be opened: then those of
 * `before` are open again.
 */
export async function openTargets(
  wanted: readonly TargetSpec[],
  {
    before,
    mayFail,
    open,
  }: {
    readonly before: readonly TargetSpec[];
    readonly mayFail: (name: string) => boolean;
    readonly open: Open;
  },
): Promise<Opened> {
  if (!wanted.some(({ name }) => mayFail(name))) {
    // Nothing is tried twice: a target may run a program when it is opened.
    await open(wanted);
    return { specs: wanted, faults: new Map() };
  }
  const opened = await openWhatWorks(wanted, before, open);
  const fatal = [...opened.faults].find(([name]) => opened.specs.length === 0 || !mayFail(name));
  if (fatal === undefined) return opened;
  if (opened.specs.length > 0 && before.length > 0) await open(before);
  throw fatal[1];
}

/**
 * Opens all targets or, when some of them cannot be opened, the others: one target whose sets are missing must not stop the rest. `open` is an
 * enforcer's: a call that rejects changes nothing, and one that resolves may remove the bans of targets that it does not name. So the open targets
 * are left out last:
 *
 *      all ─► all but one ─► those that are open, and one more each time ─► one more each time
 */
export async function openWhatWorks(
  wanted: readonly TargetSpec[],
  already: readonly TargetSpec[],
  open: Open,
): Promise<Opened> {
  const names = [...new Set(wanted.map(({ name }) => name))];
  const all = await attempt(open, wanted);
  if (all === null) return { specs: wanted, faults: new Map() };
  if (names.length === 1) return { specs: [], faults: new Map([[names[0] as string, all.thrown]]) };
  for (const name of names) {
    const others = wanted.filter((spec) => spec.name !== name);
    if ((await attempt(open, others)) === null)
      return { specs: others, faults: new Map([[name, all.thrown]]) };
  }
  const standing = wanted.filter((spec) => already.some((one) => one.name === spec.name));
  const isStanding = standing.length > 0 && (await attempt(open, standing)) === null;
  return grow(wanted, isStanding ? standing : [], open);
}

/** The ways of one target are opened together. */
async function grow(
  wanted: readonly TargetSpec[],
  first: readonly TargetSpec[],
  open: Open,
): Promise<Opened> {
  const faults = new Map<string, unknown>();
  let specs = first;
  for (const name of new Set(wanted.map((spec) => spec.name))) {
    if (first.some((spec) => spec.name === name)) continue;
    const more = wanted.filter((spec) => spec.name === name || specs.includes(spec));
    const failed = await attempt(open, more);
    if (failed === null) specs = more;
    else faults.set(name, failed.thrown);
  }
  return { specs, faults };
}

async function attempt(
  open: Open,
  specs: readonly TargetSpec[],
): Promise<{ readonly thrown: unknown } | null> {
  try {
    await open(specs);
    return null;
  } catch (thrown) {
    return { thrown };
  }
}
