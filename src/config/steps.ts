import { z } from "zod";
import { parseBanFormula } from "../core/formula/ban-formula.ts";
import { type Formula, FormulaError } from "../core/formula/formula.ts";
import type { Duration } from "../core/time.ts";
import type { JailOptions, Step } from "../jail/options.ts";
import { kindOf } from "../enforce/kinds.ts";
import { throttles } from "../enforce/throttles.ts";
import { missing } from "../schema/missing.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import { entryOf, type Tree } from "../schema/yaml-tree.ts";
import type { TargetConfig } from "./config.ts";
import type { JailParts, Known } from "./jail-parts.ts";
import { DEFAULT_TARGET, THROTTLE_TARGET } from "./targets.ts";

// The keys of a jail that say what its failures lead to, and how bans of the same address get longer.

export const stepSchema = z
  .strictObject({
    maxretry: v
      .wholeNumber(1, 65_535)
      .optional()
      .meta({ description: "Failures within `findtime`. Without it, the jail's.", examples: [1] }),
    times: v
      .wholeNumber(1, 1000)
      .default(1)
      .meta({
        description:
          "The step applies from this ban of the same address on; `increment.memory` says how long earlier bans count. `3`: the third ban and later ones.",
        examples: [3],
      }),
    target: v
      .name("the name of a target")
      .optional()
      .meta({ description: "The target of the ban. Without it, the jail's.", examples: ["slow"] }),
    bantime: v
      .duration({ forever: true, years: 100 })
      .optional()
      .meta({
        description: "How long the ban lasts. Without it, the jail's `bantime`, or else the target's.",
        examples: ["1w"],
      }),
  })
  .meta({ description: "A step: the ban that a number of failures leads to." });

const formula = () =>
  v.text("a formula").transform((text, context): Formula => {
    const refuse = (message: string): Formula => {
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    };
    try {
      return parseBanFormula(text);
    } catch (error) {
      if (error instanceof FormulaError) return refuse(`cannot be used: ${error.message}`);
      throw error;
    }
  });

/** The names are those of fail2ban's `bantime.increment`. */
export const incrementSchema = z
  .strictObject({
    formula: formula()
      .optional()
      .meta({
        description:
          "The length in seconds of every ban but the first, as fail2ban's `bantime.formula`: a Python expression of `ban.Time` (the `bantime`), `ban.Count` (earlier bans), `banFactor` (`factor`), arithmetic, `a if c else b`, `min`, `max`, `pow`, `int`, `float`, `abs`, `round` and `math.exp`, `log`, `log2`, `log10`, `sqrt`, `pow`, `floor`, `ceil`. No ban gets shorter than `bantime`. With `multipliers` it is not used.",
        examples: ["ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)"],
      }),
    factor: v
      .fraction(0.001, 1_000_000)
      .default(1)
      .meta({
        description:
          "Multiplies every ban but the first. Without `multipliers`, none gets shorter than `bantime`.",
        examples: [1.5],
      }),
    multipliers: z
      .array(v.wholeNumber(1, 1_000_000))
      .min(1, { error: "must name a number" })
      .max(100, { error: "may name 100 numbers" })
      .optional()
      .meta({
        description:
          "Multiples of `bantime` for the first, second … ban; the last number holds for all later bans. Without it, 1 2 4 8 … (up to 2^20).",
        examples: [[1, 5, 30, 60, 300]],
      }),
    maxtime: v
      .duration({ forever: false, years: 100 })
      .optional()
      .meta({ description: "The longest ban.", examples: ["5w"] }),
    rndtime: v
      .duration({ forever: false, years: 1 })
      .optional()
      .meta({
        description:
          "The longest random time that is added to every ban but the first, so that its end cannot be predicted.",
        examples: ["8m"],
      }),
    sooner: v.flag().default(false).meta({
      description:
        "`true`: a failure of an address that was banned before counts as 2, 3, 5, 9 … failures after 1, 2, 3, 4 … bans, as in fail2ban.",
    }),
    memory: v
      .duration({ forever: false, years: 100 })
      .prefault("30d")
      .meta({ description: "How long a ban counts as an earlier ban after its end.", examples: ["90d"] }),
    overalljails: v.flag().default(false).meta({
      description: "`true`: the bans of all jails with this key count together.",
    }),
  })
  .meta({ description: "How bans of the same address grow." });

export const banKeys = {
  maxretry: v
    .wholeNumber(1, 65_535)
    .default(5)
    .meta({ description: "Failures within `findtime` that lead to a ban.", examples: [3] }),
  findtime: v
    .duration({ forever: false, years: 1 })
    .prefault("10m")
    .meta({ description: "How long a failure counts.", examples: ["1h", 600] }),
  bantime: v
    .duration({ forever: true, years: 100 })
    .prefault("1h")
    .meta({ description: "How long a ban lasts; `-1` for permanent bans.", examples: ["1d12h", -1] }),
  target: v
    .name("the name of a target")
    .default("default")
    .meta({
      description: "The target of bans. Without it, bans of a jail that counts packets go to `throttle`.",
      examples: ["slow"],
    }),
  steps: z
    .array(stepSchema, { error: (issue) => `must be a list of steps, not ${v.shown(issue.input)}` })
    .min(1, { error: "must name a step" })
    .max(20, { error: "may name 20 steps" })
    .optional()
    .meta({
      description:
        "Several bans instead of one: a milder ban after fewer failures, and another ban for addresses that were banned before (see Steps).",
      examples: [
        [
          { maxretry: 1, target: "slow", bantime: "3m" },
          { maxretry: 5, bantime: "1h" },
          { maxretry: 5, times: 3, bantime: "1w" },
        ],
      ],
    }),
  increment: z
    .union([v.flag(), incrementSchema], {
      error: (issue) => `must be true, false or a map of keys and values, not ${v.shown(issue.input)}`,
    })
    .default(false)
    .meta({
      description: "Whether and how bans of an address that was banned before get longer (see Growing bans).",
      examples: [true, { multipliers: [1, 5, 30], maxtime: "5w" }],
    }),
};

/** The steps of a jail: those written, or the one step that the jail's own keys make. */
export function stepsOf(
  { section, own, defaults, given, values, known }: JailParts,
  counts: "lines" | "packets",
): Pick<JailOptions, "maxretry" | "steps"> {
  const { maxretry } = values;
  const target = given.target ?? (counts === "packets" ? THROTTLE_TARGET : DEFAULT_TARGET).name;
  const bantimeAt = (name: string): Duration =>
    given.bantime ?? known.targets.get(name)?.bantime ?? values.bantime;
  const written = given.steps ?? [{ maxretry, times: 1 }];
  const steps = written
    .map((step): Step => {
      const at = step.target ?? target;
      return {
        maxretry: step.maxretry ?? maxretry,
        times: step.times,
        target: at,
        bantime: step.bantime ?? bantimeAt(at),
        ...(given.ipv6_prefix === undefined && isSingleV6(known.targets.get(at)) ? { singleV6: true } : {}),
        ...(throttles(known.targets.get(at)?.enforcers ?? []) ? { isMild: true } : {}),
      };
    })
    .sort((a, b) => a.maxretry - b.maxretry || a.times - b.times);
  check(written, steps, own.steps === undefined ? defaults.section : section, known);
  return { maxretry: Math.max(...steps.map((step) => step.maxretry)), steps };
}

/** How bans of the same address grow, and how long earlier bans count. `increment: true` takes all defaults. */
export function growthOf(
  written: boolean | z.output<typeof incrementSchema>,
): Pick<JailOptions, "growth" | "memory"> {
  const { memory, formula, multipliers, maxtime, rndtime, sooner, ...rest } =
    typeof written === "object" ? written : incrementSchema.parse({});
  const growth = {
    ...rest,
    ...(formula === undefined ? {} : { formula }),
    ...(sooner ? { sooner } : {}),
    multipliers: multipliers ?? null,
    maxtime: maxtime ?? null,
    rndtime: rndtime ?? 0,
  };
  return { growth: written === false ? null : growth, memory };
}

/** Whether one of the target's enforcers may hold single addresses only. */
function isSingleV6(target: TargetConfig | undefined): boolean {
  return target?.enforcers.some((spec) => kindOf(spec).singles?.(spec) === true) === true;
}

function check(
  written: readonly z.output<typeof stepSchema>[],
  steps: readonly Step[],
  section: Section,
  known: Known,
): void {
  const list = section.entry("steps");
  if (list === null) return;
  const items: readonly Tree[] = list.value.kind === "list" ? list.value.items : [];
  written.forEach(({ target }, i) => {
    if (target === undefined || known.targets.has(target)) return;
    const at = entryOf(items[i] ?? null, "target")?.value.at ?? list.keyAt;
    section.refuseAt(missing("target", target, [...known.targets.keys()]), at);
  });
  const most = Math.max(...steps.map((step) => step.maxretry));
  const highest = steps.filter((step) => step.maxretry === most);
  if (!highest.some((step) => step.times === 1)) {
    const first = ordinal(Math.min(...highest.map(({ times }) => times)));
    section.refuse(`steps define the ${first} ban after ${most} failures, but not the first`, "steps");
  }
  const twice = steps.find(
    ({ maxretry, times }, i) => steps[i + 1]?.maxretry === maxretry && steps[i + 1]?.times === times,
  );
  if (twice !== undefined) {
    const which = twice.times === 1 ? "the ban" : `the ${ordinal(twice.times)} ban`;
    section.refuse(`steps define ${which} after ${twice.maxretry} failures twice`, "steps");
  }
}

function ordinal(n: number): string {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10;
  return `${n}${last === 1 ? "st" : last === 2 ? "nd" : last === 3 ? "rd" : "th"}`;
}
