import { Script } from "node:vm";
import { LIMITS } from "../../core/limits.ts";
import type { Instant } from "../../core/time.ts";
import { MINUTE } from "../../core/time.ts";
import type { CompiledTest } from "../filter/pattern.ts";

/**
 * Runs patterns of the class `watched`, with a time limit. A call costs about 70 µs more. A pattern that was stopped five
 * times is not run for a minute, so lines that are written to slow it down then cost nothing.
 */
export class WatchedRun {
  readonly #strikes = new Map<CompiledTest, { count: number; until: Instant }>();

  /** The match; null for none; undefined when it was stopped or is not run for now. */
  exec(test: CompiledTest, text: string, now: Instant): RegExpExecArray | null | undefined {
    const strikes = this.#strikes.get(test);
    if (strikes !== undefined && strikes.count >= MAX_STRIKES) {
      if (now < strikes.until) return undefined;
      this.#strikes.delete(test);
    }
    try {
      return underWatch(test.regex, text);
    } catch {
      const count = (this.#strikes.get(test)?.count ?? 0) + 1;
      this.#strikes.set(test, { count, until: now + MINUTE });
      return undefined;
    }
  }
}

const MAX_STRIKES = 5;
const TIMEOUT_MILLISECONDS = LIMITS.patternTime.value;

/** A vm script sees only the global object, so the call is passed in a property of it. */
const SLOT = Symbol.for("stoplog.watched");
const script = new Script('globalThis[Symbol.for("stoplog.watched")]()');

function underWatch(regex: RegExp, text: string): RegExpExecArray | null {
  let match: RegExpExecArray | null = null;
  const run = (): void => void (match = regex.exec(text));
  Object.defineProperty(globalThis, SLOT, { value: run, configurable: true });
  script.runInThisContext({ timeout: TIMEOUT_MILLISECONDS });
  return match;
}
