import { formatPrefix, comparePrefixes, parsePrefix, type Prefix, prefixOf } from "../../src/core/prefix.ts";
import { addressIn, mergeRanges, networksOf, type Ranges } from "../../src/core/ranges.ts";
import { atOnce } from "../../src/core/turns.ts";
import {
  DEFAULT_BOUNDS,
  type ListBounds,
  ListParser,
  type ParsedList,
} from "../../src/lists/reading/parse-list.ts";

/** A list of these lines. */
export function parse(...lines: readonly string[]): ParsedList {
  return parseWith(DEFAULT_BOUNDS, lines.join("\n"));
}

export function parseWith(bounds: ListBounds, text: string): ParsedList {
  const parser = new ListParser(bounds);
  parser.beginFile();
  atOnce(parser.push(Buffer.from(text)));
  parser.endFile();
  return parser;
}

/** The fewest networks that make up both families, in order. */
export function networks({ v4, v6 }: { readonly v4: Ranges; readonly v6: Ranges }): string[] {
  return [v4, v6].flatMap((ranges) =>
    atOnce(networksOf(atOnce(mergeRanges(ranges))))
      .flatMap(({ length, words, firsts }) =>
        Array.from({ length: firsts.length / words }, (_, i) =>
          prefixOf(addressIn(ranges, firsts, i * words), length),
        ),
      )
      .toSorted(comparePrefixes)
      .map(formatPrefix),
  );
}

export function prefix(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}
