import { LIMITS } from "../core/limits.ts";
import { CUT_LENGTHS, cutsAt, type Cuts } from "../match/cut/cuts.ts";
import type { Encoding } from "../match/encoding/encodings.ts";
import type { Config } from "./config.ts";

/** Where the lines of some sources end. */
export interface LineEnds {
  /** Bytes of a line that are read. */
  readonly maxLine: number;
  readonly cuts: Cuts;
  /** The encoding that all the sources share, else UTF-8. */
  readonly encoding: Encoding;
}

/**
 * For lines of which only the possible sources are known, as in a replay: the longest `max_line`, and every length at which one of the sources
 * counts a line as cut. Without sources, the defaults.
 */
export function lineEndsOf(
  config: Pick<Config, "sources">,
  names: Iterable<string> = config.sources.keys(),
): LineEnds {
  const lines = [...names].flatMap((name) => {
    const source = config.sources.get(name);
    return source === undefined || source.type === "nflog" ? [] : [source];
  });
  if (lines.length === 0) return { maxLine: LIMITS.lineBytes.value, cuts: cutsAt(), encoding: "utf-8" };
  const maxLine = Math.max(...lines.map((source) => source.maxLine ?? LIMITS.lineBytes.value));
  const lengths = new Set(lines.flatMap(({ cutLengths = CUT_LENGTHS }) => cutLengths));
  const [encoding = "utf-8", ...others] = new Set(lines.map((source) => source.encoding ?? "utf-8"));
  return { maxLine, cuts: cutsAt(maxLine, [...lengths]), encoding: others.length > 0 ? "utf-8" : encoding };
}
