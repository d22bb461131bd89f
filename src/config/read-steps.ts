import type { z } from "zod";
import type { Duration } from "../core/time.ts";
import type { JailOptions, Step } from "../jail/options.ts";
import { jailSchema, type stepSchema } from "./jail-schema.ts";
import { defaultOf, entryOf } from "./read-object.ts";
import { DEFAULT_TARGET, THROTTLE_TARGET } from "./read-target.ts";
import { type Known, missing, type Section } from "./section.ts";
import type { Tree } from "./yaml-tree.ts";

/**
 * What failures lead to in a jail: its steps, or the one step that its own keys say. How long a ban lasts says the step, else
 * the jail, the defaults for all or the target, in this order.
 */
export function buildSteps(
  jail: Section,
  defaults: Section,
  known: Known,
  counts: "lines" | "packets",
): Pick<JailOptions, "maxretry" | "steps"> {
  const given = { ...defaults.written, ...jail.written };
  const maxretry = given.maxretry ?? defaultOf(jailSchema, "maxretry") ?? 5;
  const target = given.target ?? (counts === "packets" ? THROTTLE_TARGET : DEFAULT_TARGET).name;
  const standard: Duration = defaultOf(jailSchema, "bantime") ?? 0;
  const bantimeAt = (name: string): Duration => given.bantime ?? known.targets.get(name)?.bantime ?? standard;
  const written = given.steps ?? [{ maxretry, times: 1 }];
  const steps = written
    .map((step): Step => {
      const at = step.target ?? target;
      return {
        maxretry: step.maxretry ?? maxretry,
        times: step.times,
        target: at,
        bantime: step.bantime ?? bantimeAt(at),
      };
    })
    .sort((a, b) => a.maxretry - b.maxretry || a.times - b.times);
  check(written, steps, jail.written.steps === undefined ? defaults : jail, known);
  return { maxretry: Math.max(...steps.map((step) => step.maxretry)), steps };
}

function check(
  written: readonly z.output<typeof stepSchema>[],
  steps: readonly Step[],
  { tree, where }: Section,
  known: Known,
): void {
  const list = entryOf(tree, "steps");
  if (list === null) return;
  const items: readonly Tree[] = list.value.kind === "list" ? list.value.items : [];
  written.forEach(({ target }, i) => {
    if (target === undefined || known.targets.has(target)) return;
    const at = entryOf(items[i] ?? null, "target")?.value.at ?? list.keyAt;
    where.report.error(where.what, missing("target", target, [...known.targets.keys()]), at);
  });
  const most = Math.max(...steps.map((step) => step.maxretry));
  if (!steps.some((step) => step.maxretry === most && step.times === 1)) {
    const fact = `steps say what ${most} failures lead to the ${ordinal(Math.min(...steps.filter((s) => s.maxretry === most).map((s) => s.times)))} time, but not the first`;
    where.report.error(where.what, fact, list.keyAt);
  }
  const twice = steps.find(
    ({ maxretry, times }, i) => steps[i + 1]?.maxretry === maxretry && steps[i + 1]?.times === times,
  );
  if (twice !== undefined) {
    const which = twice.times === 1 ? "" : ` the ${ordinal(twice.times)} time`;
    where.report.error(
      where.what,
      `steps say twice what ${twice.maxretry} failures lead to${which}`,
      list.keyAt,
    );
  }
}

function ordinal(n: number): string {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10;
  return `${n}${last === 1 ? "st" : last === 2 ? "nd" : last === 3 ? "rd" : "th"}`;
}
