/**
 * The format of `samples.log`: the comment above each line is the expected result.
 *
 *     # fail 192.0.2.1 user=root count=5 at=2026-11-20T14:44:48Z free=GET / HTTP/1.1
 *     # good 2001:db8::1 user=alice
 *     # none
 *     ## a remark
 *     #! user never holds ":"
 *     #! agent is a JSON string
 *     #! user uncounted with " "
 *
 * A value ends before the next ` key=`; a value that contains such text is written as a JSON string. Four keys are for
 * the tests that forge lines, and may be repeated:
 *
 *     free    text in the line that a client can choose, beside the captures
 *     dns     such text that is a DNS name: letters, digits, dots and dashes
 *     json    such text inside a JSON string: quotation marks, backslashes and line feeds are escaped
 *     known   a capture that a client cannot choose, such as the name of an existing account
 *
 * A line `#!` applies to the whole file: bytes that the service never writes into a capture, a capture inside a JSON string, or bytes of
 * a capture (or of `free`) with which the filter does not count the line, for a reason that its first comment gives.
 */
export interface Sample {
  /** One character for each byte, without the line end. */
  readonly line: string;
  /** Line number in the file, from 1. */
  readonly number: number;
  readonly expected: Expectation;
  readonly free: readonly string[];
  readonly dns: readonly string[];
  readonly json: readonly string[];
  readonly known: readonly string[];
  /** Bytes that a capture cannot contain. */
  readonly never: Readonly<Record<string, string>>;
  /** Captures inside a JSON string. */
  readonly escaped: readonly string[];
  /** Bytes in a capture with which a line is not counted. */
  readonly uncounted: Readonly<Record<string, string>>;
}

export type Expectation =
  | { readonly kind: "none" }
  | {
      readonly kind: "fail" | "good";
      readonly host: string;
      /** ISO 8601; null when the sample does not give it. */
      readonly at: string | null;
      readonly count: number;
      /** Only these captures are compared. */
      readonly captures: Readonly<Record<string, string>>;
    };

/** Reads a whole file, one character for each byte. Throws an Error that names the line. */
export function parseSamples(text: string): Sample[] {
  const samples: Sample[] = [];
  const never: Record<string, string> = {};
  const escaped: string[] = [];
  const uncounted: Record<string, string> = {};
  let above: Above | null = null;
  text.split("\n").forEach((line, i) => {
    const number = i + 1;
    if (line === "" || line.startsWith("##")) return;
    if (line.startsWith("#!")) {
      const match = /^#! ([a-z_0-9]+) (?:(never holds|uncounted with) (".*")|is a JSON string)$/.exec(line);
      if (match === null)
        throw new Error(
          `line ${number}: '${line}' is not '#! capture never holds "bytes"', '#! capture uncounted with "bytes"' or '#! capture is a JSON string'`,
        );
      const [, name = "", what, bytes] = match;
      if (bytes === undefined) escaped.push(name);
      else (what === "never holds" ? never : uncounted)[name] = String(JSON.parse(bytes));
    } else if (line.startsWith("# ")) {
      if (above !== null) throw new Error(`line ${number}: the expectation above it has no line`);
      above = parseExpectation(line.slice(2), number);
    } else {
      if (above === null) throw new Error(`line ${number}: nothing above it says what is expected`);
      samples.push({ line, number, never, escaped, uncounted, ...above });
      above = null;
    }
  });
  if (above !== null) throw new Error("the last expectation has no line");
  return samples;
}

type Above = Pick<Sample, "expected" | Hint>;
type Hint = "free" | "dns" | "json" | "known";

function parseExpectation(text: string, number: number): Above {
  const match = /^(?:(none)|(fail|good) ([0-9A-Fa-f.:]+))(?: (.*))?$/.exec(text);
  if (match === null)
    throw new Error(`line ${number}: '${text}' is neither none, nor fail or good with an address`);
  const [, none, kind, host = "", rest = ""] = match;
  const values = parseValues(rest, number);
  const named = (key: string): string[] => values.flatMap(([name, value]) => (name === key ? [value] : []));
  const hints = { free: named("free"), dns: named("dns"), json: named("json"), known: named("known") };
  if (none !== undefined) {
    if (values.some(([key]) => !(key in hints)))
      throw new Error(`line ${number}: nothing comes of it, so it has no values`);
    return { expected: { kind: "none" }, ...hints };
  }
  const captures = Object.fromEntries(
    values.filter(([key]) => !(key in hints) && key !== "at" && key !== "count"),
  );
  const count = Number(named("count")[0] ?? 1);
  const at = named("at")[0] ?? null;
  return { expected: { kind: kind === "good" ? "good" : "fail", host, at, count, captures }, ...hints };
}

function parseValues(text: string, number: number): [key: string, value: string][] {
  const values: [string, string][] = [];
  for (let rest = text; rest !== "";) {
    const match = /^([a-z_]+)=(?:("(?:[^"\\]|\\.)*")(?= [a-z_]+=|$)|(.*?)(?= [a-z_]+=|$)) ?/.exec(rest);
    if (match === null) throw new Error(`line ${number}: '${rest}' is not key=value`);
    const [whole, key = "", quoted, plain = ""] = match;
    values.push([key, quoted === undefined ? plain : String(JSON.parse(quoted))]);
    rest = rest.slice(whole.length);
  }
  return values;
}
