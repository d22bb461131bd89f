import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import type { Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";

// The section `limits`: bounds that the operator may change. Reasons and defaults are in core/limits.ts.

export interface LimitsConfig {
  /** Concurrent bans. */
  readonly bans: number;
  /** Bans for packets, a second. */
  readonly packetBans: number;
}

const limitsSchema = z
  .strictObject({
    bans: v
      .wholeNumber(1, 10_000_000)
      .default(LIMITS.bans.value)
      .meta({ description: `Concurrent bans; beyond that, ${LIMITS.bans.full}.`, examples: [100_000] }),
    packet_bans: v
      .wholeNumber(1, 10_000_000)
      .default(LIMITS.packetBans.value)
      .meta({
        description: `Bans for packets a second; beyond that, ${LIMITS.packetBans.full}.`,
        examples: [100],
      }),
  })
  .meta({ description: "Bounds that can be changed." });

export const limitsKey = limitsSchema
  .optional()
  .meta({ description: "Bounds that can be changed.", examples: [{ bans: 100_000 }] });

export const limitsChapter: Chapter = {
  title: "Limits",
  text: "Bounds that can be changed. [limits.md](../limits.md) lists all bounds.",
  parts: [{ title: null, text: "", schema: limitsSchema }],
};

export function readLimits(top: Section): LimitsConfig {
  const { bans, packet_bans: packetBans } = top.inside("limits").filled(limitsSchema);
  return { bans, packetBans };
}

export const DEFAULT_LIMITS: LimitsConfig = { bans: LIMITS.bans.value, packetBans: LIMITS.packetBans.value };
