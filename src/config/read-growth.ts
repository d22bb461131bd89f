import type { z } from "zod";
import type { JailOptions } from "../jail/options.ts";
import { incrementSchema } from "./jail-schema.ts";

/** How bans of the same address grow, and how long one counts as one before. */
export function buildGrowth(
  written: boolean | z.output<typeof incrementSchema> | undefined,
): Pick<JailOptions, "growth" | "memory"> {
  if (typeof written !== "object") {
    const standard = incrementSchema.parse({});
    return { growth: written === true ? growthOf(standard) : null, memory: standard.memory };
  }
  return { growth: growthOf(written), memory: written.memory };
}

function growthOf(written: z.output<typeof incrementSchema>): NonNullable<JailOptions["growth"]> {
  const { factor, multipliers, maxtime, rndtime, overalljails } = written;
  return {
    factor,
    multipliers: multipliers ?? null,
    maxtime: maxtime ?? null,
    rndtime: rndtime ?? 0,
    overalljails,
  };
}
