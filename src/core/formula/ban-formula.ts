import { evaluate } from "./evaluate.ts";
import { type Formula, FormulaError, type PythonNumber } from "./formula.ts";
import { parseFormula } from "./parse-formula.ts";

/** What a formula of fail2ban's `bantime.formula` is computed of. */
export interface BanGiven {
  /** `ban.Time`. */
  readonly seconds: number;
  /** `ban.Count`: the number of earlier bans. */
  readonly before: number;
  /** `banFactor`. */
  readonly factor: number;
}

/** Parses a formula for the length of a ban and tries it for the first bans. Throws a FormulaError. */
export function parseBanFormula(text: string): Formula {
  const formula = parseFormula(text, NAMES);
  for (let before = 1; before <= FIRST_BANS; before++) {
    try {
      banSeconds(formula, { seconds: 600, before, factor: 1 });
    } catch (error) {
      if (!(error instanceof FormulaError)) throw error;
      throw new FormulaError(`${error.message} when ban.Count is ${before}`);
    }
  }
  return formula;
}

/** The length of a ban in seconds. Throws a FormulaError when it cannot be computed. */
export function banSeconds(formula: Formula, { seconds, before, factor }: BanGiven): number {
  const values = [python(seconds), BigInt(before), python(factor)];
  const value = Number(evaluate(formula, new Map(NAMES.map((name, i) => [name, values[i] ?? 0n]))));
  if (Number.isNaN(value)) throw new FormulaError("the result is not a number");
  return value;
}

const NAMES = ["ban.Time", "ban.Count", "banFactor"] as const;
const FIRST_BANS = 20;

function python(number: number): PythonNumber {
  return Number.isInteger(number) ? BigInt(number) : number;
}
