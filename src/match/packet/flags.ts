import { TCP_FLAGS } from "../../core/packet.ts";
import type { FlagSelection } from "./selector.ts";

/** The reverse of `parseFlags`: `syn,!ack`. */
export function formatFlags({ set, clear }: FlagSelection): string {
  return Object.entries(TCP_FLAGS)
    .flatMap(([name, bit]) => ((set & bit) !== 0 ? [name] : (clear & bit) !== 0 ? [`!${name}`] : []))
    .join(",");
}

/** Reads TCP flags from a configuration: `syn`, `!ack`, or several with commas. An error is a predicate that follows 'flags'. */
export function parseFlags(words: readonly string[]): FlagSelection | string {
  let set = 0;
  let clear = 0;
  for (const word of words.flatMap((text) => text.split(",")).map((text) => text.trim().toLowerCase())) {
    const name = word.replace(/^!\s*/, "");
    if (!Object.hasOwn(TCP_FLAGS, name))
      return `must be some of ${Object.keys(TCP_FLAGS).join(", ")}, with ! for a flag that must not be set`;
    const bit = TCP_FLAGS[name as keyof typeof TCP_FLAGS];
    if (word === name) set |= bit;
    else clear |= bit;
  }
  return (set & clear) === 0 ? { set, clear } : "must not have the same flag with and without !";
}
