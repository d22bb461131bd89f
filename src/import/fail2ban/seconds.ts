import { parseDuration } from "../../core/duration.ts";
import { type Duration, FOREVER, SECOND } from "../../core/time.ts";

/**
 * A time as fail2ban reads it: `10m`, `1h30`, `1 week`, and arithmetic such as `60 * 60 * 24` or `2 * 1d`. FOREVER when negative; null
 * for anything else.
 */
export function readTime(text: string): Duration | null {
  const trimmed = text.trim();
  if (/^-\s*\d+(?:\.\d+)?$/.test(trimmed)) return FOREVER;
  const plain = parseDuration(trimmed);
  if (plain !== null || trimmed.length > LONGEST) return plain;
  const terms = trimmed.replace(TERM, (term) => {
    const duration = parseDuration(term);
    return duration === null ? term : String(duration / SECOND);
  });
  const seconds = calculate(terms);
  if (seconds === null) return null;
  return seconds < 0 ? FOREVER : Math.round(seconds * SECOND);
}

const LONGEST = 200;
const TERM = /\d+(?:\.\d+)?\s*[a-z]+/gi;

/** Evaluates sums and products of numbers with brackets; null for anything else. */
function calculate(text: string): number | null {
  const tokens = text.match(/\d+(?:\.\d+)?|[-+*/()]|\S/g) ?? [];
  let at = 0;
  const sum = (): number => {
    let total = product();
    while (tokens[at] === "+" || tokens[at] === "-") total += tokens[at++] === "+" ? product() : -product();
    return total;
  };
  const product = (): number => {
    let total = value();
    while (tokens[at] === "*" || tokens[at] === "/")
      total = tokens[at++] === "*" ? total * value() : total / value();
    return total;
  };
  const value = (): number => {
    const token = tokens[at++] ?? "";
    if (token === "-") return -value();
    if (token !== "(") return /^\d/.test(token) ? Number(token) : Number.NaN;
    const inner = sum();
    return tokens[at++] === ")" ? inner : Number.NaN;
  };
  const total = sum();
  return at === tokens.length && Number.isFinite(total) ? total : null;
}
