import { parseBanFormula } from "../../core/formula/ban-formula.ts";
import { evaluate } from "../../core/formula/evaluate.ts";
import { FormulaError } from "../../core/formula/formula.ts";
import { parseFormula } from "../../core/formula/parse-formula.ts";
import { formatDuration } from "../../core/duration.ts";
import { DAY, type Duration } from "../../core/time.ts";
import { flow, type Line } from "../yaml-page.ts";
import type { Notes } from "./notes.ts";
import { type Jail, isTrue } from "./read-jails.ts";
import { readTime } from "./seconds.ts";

/** Converts `bantime.increment` and its keys to `increment`; empty when bans do not grow. `memory` is fail2ban's dbpurgeage. */
export function growthOf(jail: Jail, memory: Duration, notes: Notes): readonly Line[] {
  if (!isTrue(jail.get("bantime.increment"))) return [];
  const keys: readonly Line[] = [
    ...factorOf(jail, notes),
    ...(hasMultipliers(jail) ? multipliersOf(jail, notes) : formulaOf(jail, notes)),
    ...timeOf(jail, "maxtime", notes),
    ...timeOf(jail, "rndtime", notes),
    ["memory", formatDuration(memory)],
    ...(isTrue(jail.get("bantime.overalljails")) ? [["overalljails", true] as const] : []),
    // fail2ban's observer counts failures of addresses that were banned before so whenever bans grow.
    ["sooner", true],
  ];
  return [["increment", flow(keys)]];
}

function factorOf(jail: Jail, notes: Notes): readonly Line[] {
  const written = jail.get("bantime.factor");
  if (written === null || written.text === "") return [];
  const factor = factorIn(written.text);
  if (factor >= 0.001 && factor <= 1_000_000) return factor === 1 ? [] : [["factor", factor]];
  notes.differs(jail.title("bantime.factor"), `'${written.text}' is not a number: using 1`, written);
  return [];
}

/** A Python expression without variables. */
function factorIn(text: string): number {
  try {
    return Number(evaluate(parseFormula(text), new Map()));
  } catch (error) {
    if (error instanceof FormulaError) return Number.NaN;
    throw error;
  }
}

function hasMultipliers(jail: Jail): boolean {
  return (jail.get("bantime.multipliers")?.text ?? "").trim() !== "";
}

function multipliersOf(jail: Jail, notes: Notes): readonly Line[] {
  const written = jail.get("bantime.multipliers");
  if (written === null || written.text.trim() === "") return [];
  const numbers = written.text.trim().split(/\s+/).map(Number);
  const isUsable =
    numbers.length <= 100 && numbers.every((n) => Number.isInteger(n) && n >= 1 && n <= 1_000_000);
  if (isUsable) return [["multipliers", numbers]];
  notes.differs(jail.title("bantime.multipliers"), "not up to 100 whole numbers: using 1 2 4 8 …", written);
  return [];
}

function timeOf(jail: Jail, key: "maxtime" | "rndtime", notes: Notes): readonly Line[] {
  const written = jail.get(`bantime.${key}`);
  if (written === null || written.text.trim() === "") return [];
  const duration = readTime(written.text);
  if (duration !== null && duration > 0) return [[key, formatDuration(duration)]];
  if (duration === null)
    notes.differs(jail.title(`bantime.${key}`), `'${written.text}' is not a time: left out`, written);
  return [];
}

/** fail2ban's default formula without white space, in both of its spellings. */
const DOUBLING = new Set([
  "ban.Time*(1<<(ban.Countifban.Count<20else20))*banFactor",
  "ban.Time*(1<<min(ban.Count,20))*banFactor",
]);

function formulaOf(jail: Jail, notes: Notes): readonly Line[] {
  const written = jail.get("bantime.formula");
  const text = written?.text.trim() ?? "";
  if (text === "" || DOUBLING.has(text.replace(/\s+/g, ""))) return [];
  try {
    parseBanFormula(text);
    return [["formula", text]];
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    notes.differs(jail.title("bantime.formula"), `${error.message}: bans double each time`, written);
    return [];
  }
}

/** Default of fail2ban's dbpurgeage. */
export const DEFAULT_PURGE = DAY;
