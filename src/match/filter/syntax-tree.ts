import { type AST, RegExpParser } from "@eslint-community/regexpp";

/** The syntax tree of a pattern in JavaScript's spelling. Keeps the last one: compiling a pattern asks for it several times. */
export function syntaxTree(source: string): AST.Pattern {
  if (last?.source !== source) last = { source, tree: parser.parsePattern(source) };
  return last.tree;
}

const parser = new RegExpParser({ ecmaVersion: 2023 });
let last: { readonly source: string; readonly tree: AST.Pattern } | null = null;
