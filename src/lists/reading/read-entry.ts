import { type Address, compareAddresses, isV4, parseAddress } from "../../core/address.ts";
import { addressBits, parsePrefix, type Prefix, prefixOf } from "../../core/prefix.ts";
import { endsOf } from "../../core/ranges.ts";

/**
 * The forms of a line:
 *
 *      192.0.2.0/24 ; SBL123            an address or network, then a comment
 *      192.0.2.9 - 192.0.2.20           a range
 *      192.0.2.0  192.0.2.255  24  …    start, end, length and more: DShield's block list
 *      {"cidr":"192.0.2.0/24", …}       JSON lines, as Spamhaus' drop_v4.json
 */
export type Entry =
  | { readonly kind: "range"; readonly first: Address; readonly last: Address; readonly masked: boolean }
  | { readonly kind: "nothing" }
  | { readonly kind: "malformed"; readonly fact: string };

/** Reads one line, without its line end. */
export function readEntry(line: string): Entry {
  const text = line.trim();
  if (text.startsWith("{")) return readObject(text);
  const comment = text.search(/[#;]/);
  const said = comment < 0 ? text : text.slice(0, comment).trimEnd();
  if (said === "") return NOTHING;
  return readWords(said);
}

const NOTHING: Entry = { kind: "nothing" };

/** The keys under which lists in JSON have an address, a network or a range. */
const KEYS = ["cidr", "ip", "address", "network", "prefix", "ipAddress", "value"] as const;

function readObject(text: string): Entry {
  let object: Readonly<Record<string, unknown>>;
  try {
    // A final comma: an array with one object a line.
    object = JSON.parse(text.endsWith(",") ? text.slice(0, -1) : text) as Record<string, unknown>;
  } catch {
    return malformed("is not JSON");
  }
  for (const key of KEYS) {
    const value = Object.hasOwn(object, key) ? object[key] : undefined;
    if (typeof value === "string") return readWords(value.trim());
  }
  // Spamhaus' last line is about the list itself.
  return object["type"] === "metadata" ? NOTHING : malformed(`has none of ${KEYS.join(", ")}`);
}

function readWords(text: string): Entry {
  const range = /^([^\s-]+)\s*-\s*([^\s-]+)$/.exec(text);
  if (range !== null) return readRange(range[1]!, range[2]!);
  if (!/\s/.test(text)) return readNetwork(text);
  const [first = "", last = "", length = ""] = text.split(/\s+/, 3);
  const columns = readRange(first, last);
  if (columns.kind !== "range" || !/^\d{1,3}$/.test(length)) return malformed("has more than an address");
  const width = addressBits(columns.first);
  if (Number(length) > width) return malformed(`has a length over ${width}`);
  const { last: end } = endsOf(prefixOf(columns.first, Number(length)));
  return compareAddresses(end, columns.last) === 0
    ? columns
    : malformed("says one end by its length and another in so many words");
}

function readRange(from: string, to: string): Entry {
  const first = parseAddress(from);
  const last = parseAddress(to);
  if (first === null || last === null || isV4(first) !== isV4(last))
    return malformed("is not a range of addresses");
  if (compareAddresses(first, last) > 0) return malformed("ends before it begins");
  return { kind: "range", first, last, masked: false };
}

function readNetwork(text: string): Entry {
  const prefix = parsePrefix(text);
  if (prefix === null) return malformed("is not an address or network");
  return { kind: "range", ...endsOf(prefix), masked: hasHostBits(text, prefix) };
}

function hasHostBits(text: string, { address }: Prefix): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return false;
  const written = parseAddress(text.slice(0, slash));
  return written !== null && compareAddresses(written, address) !== 0;
}

function malformed(fact: string): Entry {
  return { kind: "malformed", fact };
}
