/**
 * A parsed formula, as plain data: the process that reads the configuration passes it to the daemon. It is Python's arithmetic, because
 * fail2ban's `bantime.formula` is a Python expression.
 */
export type Formula =
  /** A whole number; text, because it may be larger than a safe integer. */
  | { readonly op: "whole"; readonly digits: string }
  | { readonly op: "float"; readonly value: number }
  | { readonly op: "name"; readonly name: string }
  | { readonly op: "call"; readonly name: string; readonly of: readonly Formula[] }
  | { readonly op: UnaryOperator; readonly of: readonly [Formula] }
  | { readonly op: BinaryOperator | "and" | "or"; readonly of: readonly [Formula, Formula] }
  /** The condition, then the value if it is true, then the other. */
  | { readonly op: "if"; readonly of: readonly [Formula, Formula, Formula] };

export type UnaryOperator = "neg" | "pos" | "~" | "not";

export type BinaryOperator =
  | ("+" | "-" | "*" | "/" | "//" | "%" | "**")
  | ("<<" | ">>" | "&" | "|" | "^")
  | ("<" | "<=" | ">" | ">=" | "==" | "!=");

/** Python's int and float. True and False are 1 and 0. */
export type PythonNumber = bigint | number;

/** Why a formula cannot be read or computed. */
export class FormulaError extends Error {}
