import { binary, isTrue, unary } from "./arithmetic.ts";
import { type Formula, FormulaError, type PythonNumber } from "./formula.ts";
import { CONSTANTS, FUNCTIONS } from "./functions.ts";

/**
 * Computes a formula with these variables. A formula has no loops, so this takes at most one step for each of its parts. Throws a
 * FormulaError.
 */
export function evaluate(formula: Formula, variables: ReadonlyMap<string, PythonNumber>): PythonNumber {
  const valueOf = (part: Formula): PythonNumber => evaluate(part, variables);
  switch (formula.op) {
    case "whole":
      return BigInt(formula.digits);
    case "float":
      return formula.value;
    case "name":
      return named(formula.name, variables);
    case "call":
      return called(formula.name, formula.of.map(valueOf));
    case "if": {
      const [condition, yes, no] = formula.of;
      return valueOf(isTrue(valueOf(condition)) ? yes : no);
    }
    case "and":
    case "or": {
      const first = valueOf(formula.of[0]);
      return isTrue(first) === (formula.op === "or") ? first : valueOf(formula.of[1]);
    }
    case "neg":
    case "pos":
    case "~":
    case "not":
      return unary(formula.op, valueOf(formula.of[0]));
    default:
      return binary(formula.op, valueOf(formula.of[0]), valueOf(formula.of[1]));
  }
}

function named(name: string, variables: ReadonlyMap<string, PythonNumber>): PythonNumber {
  const value = variables.get(name) ?? CONSTANTS.get(name);
  if (value === undefined) throw new FormulaError(`${name} is not known`);
  return value;
}

function called(name: string, of: readonly PythonNumber[]): PythonNumber {
  const known = FUNCTIONS.get(name);
  if (known === undefined) throw new FormulaError(`${name}() is not known`);
  return known.call(...of);
}
