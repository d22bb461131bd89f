import { type BinaryOperator, type Formula, FormulaError } from "./formula.ts";
import { CONSTANTS, FUNCTIONS } from "./functions.ts";

/** Parses a Python expression of numbers, `names` and known functions. Throws a FormulaError. */
export function parseFormula(text: string, names: readonly string[] = []): Formula {
  if (text.length > LONGEST) throw new FormulaError(`longer than ${LONGEST} characters`);
  const parser = new Parser(text.match(TOKEN) ?? [], names);
  const formula = parser.condition();
  parser.end();
  return formula;
}

const LONGEST = 1000;
/** Brackets and operators within each other; each takes several calls. */
const DEEPEST = 60;

/** A number, a name with dots, an operator, or any other character. */
const TOKEN =
  /(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\*\*|\/\/|<<|>>|[<>=!]=|\S/gi;

/** From the loosest to the tightest binding, as in Python's grammar. All associate to the left. */
const LEVELS: readonly (readonly BinaryOperator[])[] = [
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "//", "%"],
];

const COMPARISONS: readonly BinaryOperator[] = ["<", "<=", ">", ">=", "==", "!="];

const WORDS = new Set(["if", "else", "and", "or", "not"]);

/** Recursive descent: each method is a rule of the grammar. */
class Parser {
  readonly #tokens: readonly string[];
  readonly #names: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly string[], names: readonly string[]) {
    this.#tokens = tokens;
    this.#names = names;
  }

  condition(): Formula {
    if (++this.#depth > DEEPEST) throw new FormulaError(`nested more than ${DEEPEST} deep`);
    const yes = this.#or();
    this.#depth--;
    if (!this.#takes("if")) return yes;
    const condition = this.#or();
    this.#needs("else");
    return { op: "if", of: [condition, yes, this.condition()] };
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw this.#unexpected();
  }

  #or(): Formula {
    let left = this.#and();
    while (this.#takes("or")) left = { op: "or", of: [left, this.#and()] };
    return left;
  }

  #and(): Formula {
    let left = this.#not();
    while (this.#takes("and")) left = { op: "and", of: [left, this.#not()] };
    return left;
  }

  #not(): Formula {
    let nots = 0;
    while (this.#takes("not")) nots++;
    let formula = this.#comparison();
    for (; nots > 0; nots--) formula = { op: "not", of: [formula] };
    return formula;
  }

  /** `a < b < c` is `a < b and b < c`. */
  #comparison(): Formula {
    let left = this.#binary(0);
    let all: Formula | null = null;
    for (let op = this.#one(COMPARISONS); op !== null; op = this.#one(COMPARISONS)) {
      const right = this.#binary(0);
      const one: Formula = { op, of: [left, right] };
      all = all === null ? one : { op: "and", of: [all, one] };
      left = right;
    }
    return all ?? left;
  }

  #binary(level: number): Formula {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#sign();
    let left = this.#binary(level + 1);
    for (let op = this.#one(operators); op !== null; op = this.#one(operators))
      left = { op, of: [left, this.#binary(level + 1)] };
    return left;
  }

  /** A sign binds looser than `**` on its right: -2 ** 2 is -4. */
  #sign(): Formula {
    const sign = this.#one(["-", "+", "~"] as const);
    if (sign === null) return this.#power();
    if (++this.#depth > DEEPEST) throw new FormulaError(`nested more than ${DEEPEST} deep`);
    const of = this.#sign();
    this.#depth--;
    return { op: sign === "-" ? "neg" : sign === "+" ? "pos" : "~", of: [of] };
  }

  #power(): Formula {
    const base = this.#value();
    return this.#takes("**") ? { op: "**", of: [base, this.#sign()] } : base;
  }

  #value(): Formula {
    const token = this.#tokens[this.#at];
    if (token === "(") {
      this.#at++;
      const inner = this.condition();
      this.#needs(")");
      return inner;
    }
    if (token === undefined || WORDS.has(token) || !/^[\w.]/.test(token)) throw this.#unexpected();
    this.#at++;
    if (/^\d+$/.test(token)) return { op: "whole", digits: token };
    if (/^[\d.]/.test(token)) return { op: "float", value: Number(token) };
    return this.#takes("(") ? this.#call(token) : this.#name(token);
  }

  #name(name: string): Formula {
    if (this.#names.includes(name) || CONSTANTS.has(name)) return { op: "name", name };
    throw new FormulaError(
      `'${shown(name)}' is not known; there are ${[...this.#names, "math.e", "math.pi"].join(", ")}`,
    );
  }

  #call(name: string): Formula {
    const known = FUNCTIONS.get(name);
    if (known === undefined)
      throw new FormulaError(
        `'${shown(name)}()' is not known; there are ${[...FUNCTIONS.keys()].join(", ")}`,
      );
    const of: Formula[] = [];
    while (!this.#takes(")")) {
      if (of.length > 0) this.#needs(",");
      of.push(this.condition());
    }
    if (of.length < known.least || of.length > known.most)
      throw new FormulaError(`${name}() has ${of.length} arguments`);
    return { op: "call", name, of };
  }

  #takes(token: string): boolean {
    const isNext = this.#tokens[this.#at] === token;
    if (isNext) this.#at++;
    return isNext;
  }

  #one<Operator extends string>(operators: readonly Operator[]): Operator | null {
    const found = operators.find((operator) => operator === this.#tokens[this.#at]);
    if (found !== undefined) this.#at++;
    return found ?? null;
  }

  #needs(token: string): void {
    if (!this.#takes(token)) throw this.#unexpected();
  }

  #unexpected(): FormulaError {
    const token = this.#tokens[this.#at];
    return new FormulaError(token === undefined ? "it ends too early" : `unexpected '${shown(token)}'`);
  }
}

function shown(token: string): string {
  return token.length > 30 ? `${token.slice(0, 30)}…` : token;
}
