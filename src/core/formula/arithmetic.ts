import { type BinaryOperator, FormulaError, type PythonNumber, type UnaryOperator } from "./formula.ts";

/** Computes `a op b` as Python does. Throws a FormulaError. */
export function binary(op: BinaryOperator, a: PythonNumber, b: PythonNumber): PythonNumber {
  if (typeof a === "bigint" && typeof b === "bigint") return bounded(whole(op, a, b));
  const compared = comparison(op, a, b);
  if (compared !== null) return compared;
  return float(op, Number(a), Number(b));
}

export function unary(op: UnaryOperator, a: PythonNumber): PythonNumber {
  if (op === "neg") return -a;
  if (op === "pos") return a;
  if (op === "not") return isTrue(a) ? 0n : 1n;
  if (typeof a === "bigint") return ~a;
  throw new FormulaError("~ needs a whole number");
}

export function isTrue(a: PythonNumber): boolean {
  return typeof a === "bigint" ? a !== 0n : a !== 0;
}

/** `**`, also spelled `pow(a, b)`. */
export function power(a: PythonNumber, b: PythonNumber): PythonNumber {
  return binary("**", a, b);
}

function whole(op: BinaryOperator, a: bigint, b: bigint): PythonNumber {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return Number(a) / Number(divisor(b));
    case "//":
      return (a - modulo(a, divisor(b))) / b;
    case "%":
      return modulo(a, divisor(b));
    case "**":
      return wholePower(a, b);
    case "<<":
      return a << shift(b);
    case ">>":
      return a >> shift(b);
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    default:
      return comparison(op, a, b) ?? 0n;
  }
}

function wholePower(a: bigint, b: bigint): PythonNumber {
  if (b < 0n) return Number(divisor(a)) ** Number(b);
  if (a > 1n || a < -1n) {
    if (b > BigInt(MOST_BITS) || bitsOf(a) * Number(b) > MOST_BITS) throw tooLarge();
  }
  return a ** b;
}

function float(op: BinaryOperator, a: number, b: number): number {
  switch (op) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / divisor(b);
    case "//":
      return floorDivision(a, divisor(b));
    case "%":
      return floatModulo(a, divisor(b));
    case "**":
      if (a === 0 && b < 0) throw divisionByZero();
      return a === 1 ? 1 : a ** b;
    default:
      throw new FormulaError(`${op} needs whole numbers`);
  }
}

/** Null for another operator. JavaScript compares a bigint with a number exactly, as Python does. */
function comparison(op: BinaryOperator, a: PythonNumber, b: PythonNumber): bigint | null {
  switch (op) {
    case "<":
      return a < b ? 1n : 0n;
    case "<=":
      return a <= b ? 1n : 0n;
    case ">":
      return a > b ? 1n : 0n;
    case ">=":
      return a >= b ? 1n : 0n;
    case "==":
      return equal(a, b) ? 1n : 0n;
    case "!=":
      return equal(a, b) ? 0n : 1n;
    default:
      return null;
  }
}

function equal(a: PythonNumber, b: PythonNumber): boolean {
  if (typeof a === typeof b) return a === b;
  const [float, other] = typeof a === "number" ? [a, b] : [Number(b), a];
  return Number.isInteger(float) && BigInt(float) === other;
}

/** The remainder has the sign of the divisor. */
function modulo(a: bigint, b: bigint): bigint {
  const rest = a % b;
  return rest !== 0n && rest < 0n !== b < 0n ? rest + b : rest;
}

function floatModulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** As in CPython's float_floor_div: the quotient less the remainder is nearly whole. */
function floorDivision(a: number, b: number): number {
  const nearly = (a - floatModulo(a, b)) / b;
  const floor = Math.floor(nearly);
  return nearly - floor > 0.5 ? floor + 1 : floor;
}

function divisor<N extends PythonNumber>(b: N): N {
  if (!isTrue(b)) throw divisionByZero();
  return b;
}

function shift(b: bigint): bigint {
  if (b < 0n) throw new FormulaError("negative shift");
  if (b > BigInt(MOST_BITS)) throw tooLarge();
  return b;
}

function bounded(a: PythonNumber): PythonNumber {
  if (typeof a === "bigint" && bitsOf(a) > MOST_BITS) throw tooLarge();
  return a;
}

/** At most 3 too many. */
function bitsOf(a: bigint): number {
  return (a < 0n ? -a : a).toString(16).length * 4;
}

/** Of a whole number. No ban is longer than 2^40 s. */
const MOST_BITS = 4096;

function tooLarge(): FormulaError {
  return new FormulaError(`a number is larger than ${MOST_BITS} bits`);
}

function divisionByZero(): FormulaError {
  return new FormulaError("division by zero");
}
