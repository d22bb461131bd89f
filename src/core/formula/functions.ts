import { power } from "./arithmetic.ts";
import { FormulaError, type PythonNumber } from "./formula.ts";

/** A function that formulas can call. */
export interface FormulaFunction {
  readonly least: number;
  readonly most: number;
  readonly call: (...of: PythonNumber[]) => PythonNumber;
}

/** By its name in Python. */
export const FUNCTIONS: ReadonlyMap<string, FormulaFunction> = new Map([
  ["abs", one((a) => (a < 0 ? -a : a))],
  ["float", one(Number)],
  ["int", one((a) => (typeof a === "bigint" ? a : toWhole(Math.trunc(a))))],
  ["round", one((a) => (typeof a === "bigint" ? a : toWhole(roundHalfEven(a))))],
  ["min", several((...of) => of.reduce((least, a) => (a < least ? a : least)))],
  ["max", several((...of) => of.reduce((most, a) => (a > most ? a : most)))],
  ["pow", two(power)],
  ["math.pow", two((a, b) => power(Number(a), Number(b)))],
  ["math.exp", one((a) => Math.exp(Number(a)))],
  ["math.log", { least: 1, most: 2, call: logarithm }],
  ["math.log2", one((a) => Math.log2(positive(a)))],
  ["math.log10", one((a) => Math.log10(positive(a)))],
  ["math.sqrt", one(squareRoot)],
  ["math.floor", one((a) => (typeof a === "bigint" ? a : toWhole(Math.floor(a))))],
  ["math.ceil", one((a) => (typeof a === "bigint" ? a : toWhole(Math.ceil(a))))],
  ["math.trunc", one((a) => (typeof a === "bigint" ? a : toWhole(Math.trunc(a))))],
]);

export const CONSTANTS: ReadonlyMap<string, PythonNumber> = new Map<string, PythonNumber>([
  ["math.pi", Math.PI],
  ["math.e", Math.E],
  ["True", 1n],
  ["False", 0n],
]);

function one(call: (a: PythonNumber) => PythonNumber): FormulaFunction {
  return { least: 1, most: 1, call: call as FormulaFunction["call"] };
}

function two(call: (a: PythonNumber, b: PythonNumber) => PythonNumber): FormulaFunction {
  return { least: 2, most: 2, call: call as FormulaFunction["call"] };
}

function several(call: FormulaFunction["call"]): FormulaFunction {
  return { least: 2, most: 20, call };
}

function logarithm(...[a, base]: PythonNumber[]): number {
  const natural = Math.log(positive(a as PythonNumber));
  if (base === undefined) return natural;
  const below = Math.log(positive(base));
  if (below === 0) throw new FormulaError("division by zero");
  return natural / below;
}

function positive(a: PythonNumber): number {
  if (a > 0) return Number(a);
  throw new FormulaError("logarithm of a number that is not positive");
}

function squareRoot(a: PythonNumber): number {
  if (a >= 0) return Math.sqrt(Number(a));
  throw new FormulaError("square root of a negative number");
}

function toWhole(a: number): bigint {
  if (Number.isFinite(a)) return BigInt(a);
  throw new FormulaError("infinity is not a whole number");
}

/** Python rounds 0.5 to 0, and 1.5 to 2. */
function roundHalfEven(a: number): number {
  const floor = Math.floor(a);
  const rest = a - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
