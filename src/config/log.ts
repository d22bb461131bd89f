import { z } from "zod";
import { defaultsOf, type Section } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import type { Chapter } from "./chapter.ts";

// The section `log`: Stoplog's own log.

export interface LogConfig {
  readonly level: "error" | "warn" | "info" | "debug";
  /** `text` for people and journald, `json` for machines. */
  readonly format: "text" | "json";
}

const logSchema = z
  .strictObject({
    level: v
      .word(["error", "warn", "info", "debug"])
      .default("info")
      .meta({ description: "The least important level that is written.", examples: ["warn"] }),
    format: v
      .word(["text", "json"])
      .default("text")
      .meta({ description: "`text` for people and the journal, `json` for machines.", examples: ["json"] }),
  })
  .meta({ description: "Stoplog's own log, on standard error." });

export const logKey = logSchema
  .optional()
  .meta({ description: "Stoplog's own log.", examples: [{ level: "warn" }] });

export const logChapter: Chapter = {
  title: "Log",
  text: "Stoplog's own log, on standard error.",
  parts: [{ title: null, text: "", schema: logSchema }],
};

export function readLog(top: Section): LogConfig {
  return top.inside("log").filled(logSchema);
}

export const DEFAULT_LOG: LogConfig = defaultsOf(logSchema);
