import { formatPrefix } from "../../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../../core/time.ts";
import type { Enforcement } from "../enforcer.ts";

/**
 * Fills in `{address}`, `{target}`, `{until}` (seconds since 1970) and `{seconds}` (left, at least 1). Both times are 0 for a permanent ban
 * and for an unban. Each argument stays one argument, and no value comes from log text.
 */
export function fillIn(words: readonly string[], change: Enforcement, now: Instant): readonly string[] {
  const values = valuesOf(change, now);
  return words.map((word) =>
    word.replace(/\{(address|target|until|seconds)\}/g, (_, name: keyof Values) => values[name]),
  );
}

/** The same values as a line of standard input: `192.0.2.1 default 1795132800 3600`. */
export function inputLine(change: Enforcement, now: Instant): string {
  const { address, target, until, seconds } = valuesOf(change, now);
  return `${address} ${target} ${until} ${seconds}\n`;
}

interface Values {
  readonly address: string;
  readonly target: string;
  readonly until: string;
  readonly seconds: string;
}

function valuesOf(change: Enforcement, now: Instant): Values {
  const { prefix, target } = change;
  const hasEnd = change.kind === "ban" && change.until !== FOREVER;
  return {
    address: formatPrefix(prefix),
    target,
    until: hasEnd ? String(Math.ceil(change.until / SECOND)) : "0",
    seconds: hasEnd ? String(Math.max(1, Math.ceil((change.until - now) / SECOND))) : "0",
  };
}
