import type { AST } from "@eslint-community/regexpp";
import { ByteSet, HOST_BYTES } from "../filter/byte-set.ts";
import { syntaxTree } from "../filter/syntax-tree.ts";

/**
 * The fixed text directly before the host in every match of a pattern (JavaScript's spelling), with an optional bracket between:
 * ` from ` for `… from \[?(host)\]? port …`. Null when there is none, or when a host byte can follow the host.
 *
 * So wherever such a pattern matches, the host is a whole run of host bytes behind an occurrence of the text, and the possible hosts
 * of a line are known without running the pattern.
 */
export function textBeforeHost(source: string, hosts: readonly number[]): string | null {
  const pattern = syntaxTree(source);
  const groups = groupsOf(pattern);
  const hostGroups = hosts.map((number) => groups[number - 1]);
  if (hostGroups.length === 0 || hostGroups.some((group) => group === undefined)) return null;
  const place = placeOf(pattern.alternatives, hostGroups as AST.CapturingGroup[]);
  if (place === null) return null;
  const next = firstBytes(place.after, 0);
  if (next === null || HOST_BYTES.members().some((byte) => next.has(byte))) return null;
  const text = textBefore(place.before);
  return text.length >= SHORTEST ? text : null;
}

/** Bytes. Shorter texts occur everywhere, and longer ones are not more selective. */
const SHORTEST = 3;
const LONGEST = 16;

/** The elements before and behind the host, those of the enclosing groups included. */
interface Place {
  readonly before: readonly AST.Element[];
  readonly after: readonly AST.Element[];
}

function placeOf(
  alternatives: readonly AST.Alternative[],
  hosts: readonly AST.CapturingGroup[],
): Place | null {
  let elements = alternatives.length === 1 ? alternatives[0]?.elements : undefined;
  let before: readonly AST.Element[] = [];
  let after: readonly AST.Element[] = [];
  while (elements !== undefined) {
    const at = elements.findIndex((element) => hosts.every((host) => isWithin(host, element)));
    const element = elements[at];
    if (element === undefined) return null;
    before = [...before, ...elements.slice(0, at)];
    after = [...elements.slice(at + 1), ...after];
    if (element.type === "CapturingGroup" && hosts.includes(element)) return { before, after };
    if (element.type !== "Group" && element.type !== "CapturingGroup") return null;
    // `(?:(ip4)|(ip6))`: each alternative is a host.
    if (element.alternatives.length > 1)
      return element.type === "Group" && areHosts(element, hosts) ? { before, after } : null;
    elements = element.alternatives[0]?.elements;
  }
  return null;
}

function areHosts(group: AST.Group, hosts: readonly AST.CapturingGroup[]): boolean {
  return group.alternatives.every(
    ({ elements }) => elements.length === 1 && hosts.some((host) => host === elements[0]),
  );
}

function isWithin(node: AST.Node, outer: AST.Node): boolean {
  for (let inner: AST.Node | null = node; inner !== null; inner = inner.parent)
    if (inner === outer) return true;
  return false;
}

/** The last fixed characters before the host, without an optional bracket. */
function textBefore(elements: readonly AST.Element[]): string {
  let text = "";
  let rest = elements;
  const last = rest.at(-1);
  if (last?.type === "Quantifier" && last.min === 0 && last.max === 1 && last.element.type === "Character") {
    if (last.element.value !== BRACKET) return "";
    rest = rest.slice(0, -1);
  }
  for (const element of rest.toReversed()) {
    if (element.type !== "Character" || text.length === LONGEST) break;
    text = String.fromCharCode(element.value) + text;
  }
  return text;
}

const BRACKET = 0x5b;

/** The bytes with which a match of the elements can begin; null when unknown or when they can match nothing. */
function firstBytes(elements: readonly AST.Element[], from: number): ByteSet | null {
  const element = elements[from];
  if (element === undefined) return null;
  switch (element.type) {
    case "Character":
      return ByteSet.of(element.value);
    case "CharacterClass":
    case "CharacterSet":
      return bytesOf(element.raw);
    case "Assertion":
      return element.kind === "end" ? new ByteSet() : null;
    case "Group":
    case "CapturingGroup":
      return union(
        element.alternatives.map((a) => firstBytes([...a.elements, ...elements.slice(from + 1)], 0)),
      );
    case "Quantifier": {
      const some = firstBytes([element.element, ...elements.slice(from + 1)], 0);
      return element.min > 0 ? some : union([some, firstBytes(elements, from + 1)]);
    }
    default:
      return null;
  }
}

function bytesOf(source: string): ByteSet {
  const regex = new RegExp(`^(?:${source})$`);
  const set = new ByteSet();
  for (let byte = 0; byte < 256; byte++) if (regex.test(String.fromCharCode(byte))) set.add(byte);
  return set;
}

function union(sets: readonly (ByteSet | null)[]): ByteSet | null {
  const all = new ByteSet();
  for (const set of sets) {
    if (set === null) return null;
    all.addAll(set);
  }
  return all;
}

function groupsOf(pattern: AST.Pattern): AST.CapturingGroup[] {
  const groups: AST.CapturingGroup[] = [];
  const walk = (node: AST.Node): void => {
    if (node.type === "CapturingGroup") groups.push(node);
    if ("alternatives" in node) for (const child of node.alternatives) if ("elements" in child) walk(child);
    if (node.type === "Alternative") for (const child of node.elements) walk(child);
    if (node.type === "Quantifier") walk(node.element);
  };
  walk(pattern);
  return groups.toSorted((a, b) => a.start - b.start);
}
