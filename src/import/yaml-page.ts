import { printable } from "../core/printable.ts";
import { Document, isCollection, type Node, Pair, Scalar, visit, YAMLMap, YAMLSeq } from "yaml";

/** A key with its value and a comment above it. */
export type Line = readonly [key: string, value: Plain | Node, comment?: string];

type Plain = string | number | boolean | readonly (string | number)[];

/** A map with one key per line. */
export function block(lines: readonly Line[]): YAMLMap {
  const map = new YAMLMap();
  for (const [key, value, comment] of lines) {
    const name = new Scalar(key);
    if (comment !== undefined) name.commentBefore = commentText(comment);
    map.items.push(new Pair(name, nodeOf(value)));
  }
  return map;
}

/** A map on one line. */
export function flow(lines: readonly Line[]): YAMLMap {
  const map = block(lines);
  map.flow = true;
  return map;
}

/** Regular expressions, one per line, in single quotes: YAML does not interpret backslashes there. */
export function patternList(patterns: readonly string[]): YAMLSeq {
  const list = new YAMLSeq();
  list.items.push(...patterns.map(patternText));
  return list;
}

export function patternText(pattern: string): Scalar {
  const scalar = new Scalar(pattern);
  scalar.type = Scalar.QUOTE_SINGLE;
  return scalar;
}

/** Text of several lines as it stands. */
export function textBlock(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = Scalar.BLOCK_LITERAL;
  return scalar;
}

/** The whole document, with a blank line between its parts. */
export function yamlPage(head: string, parts: readonly Line[]): string {
  const map = block(parts);
  map.items.slice(1).forEach(({ key }) => {
    (key as Scalar).spaceBefore = true;
  });
  const document = new Document(map);
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === "string" && scalar.type === undefined && OF_YAML_1_1.test(scalar.value))
        scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  document.commentBefore = commentText(head);
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/**
 * Text that readers of YAML 1.1 take for something else: a colon in a list on one line, `yes` and `off`, numbers such as `1_000`, `010`
 * and `0b1`.
 */
const OF_YAML_1_1 = /:|^(?:y|n|yes|no|on|off|[-+]?[0-9][0-9_,.]*|[-+]?0[box][0-9a-f_]+|=|<<)$/i;

/** A comment that may quote a file: stays on its own lines. */
function commentText(text: string): string {
  return text
    .split("\n")
    .map((line) => ` ${printable(line)}`)
    .join("\n");
}

/** Longest list on one line. */
const ON_A_LINE = 8;

function nodeOf(value: Plain | Node): Node {
  if (typeof value !== "object") return new Scalar(value);
  if (isCollection(value) || value instanceof Scalar) return value;
  const list = new YAMLSeq();
  list.items.push(...(value as readonly (string | number)[]).map((item) => new Scalar(item)));
  list.flow = list.items.length <= ON_A_LINE;
  return list;
}
