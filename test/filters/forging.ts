import { explainLine } from "../../src/match/explain.ts";
import type { CompiledFilter } from "../../src/match/filter/filter.ts";
import { createMatcher, type Matcher } from "../../src/match/matcher.ts";
import { CONTEXT } from "./library.ts";
import type { Sample } from "./samples.ts";

/** The victim: an address that an attacker wants to have banned. */
export const VICTIM = "198.51.100.77";

/** A part of a sample line that an attacker can choose. */
export interface Field {
  readonly sample: Sample;
  /** The capture's name; "free" for a text that the sample marks. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** The text as the service writes it there: escaped, or without bytes that it never writes. */
  readonly written: (text: string) => string;
}

/** All fields of a sample: the captures of its pattern except the host, and what the sample marks as free. */
export function fieldsOf(filter: CompiledFilter, sample: Sample): Field[] {
  return [
    ...captured(filter, sample),
    ...spansOf(sample, sample.free).map(([start, end]) => ({
      sample,
      name: "free",
      start,
      end,
      written: raw,
    })),
    ...spansOf(sample, sample.json).map(([start, end]) => ({
      sample,
      name: "free",
      start,
      end,
      written: inJson,
    })),
    ...spansOf(sample, sample.dns).map(([start, end]) => ({
      sample,
      name: "dns",
      start,
      end,
      written: without(NO_HOSTNAME),
    })),
  ];
}

/** The sample's line with the text in the field's place. */
export function plant({ sample, start, end, written }: Field, text: string): string {
  return sample.line.slice(0, start) + written(text) + sample.line.slice(end);
}

/**
 * Texts to plant in a field: the victim in every form in which a service writes an address, and texts that close the field
 * early and continue like a line of this filter, to its end or followed by the rest of the real line.
 */
export function plantsFor(field: Field, samples: readonly Sample[]): string[] {
  const value = field.sample.line.slice(field.start, field.end);
  const whole = samples.map((sample) => withVictim(sample, 0));
  const ends = samples.flatMap((sample) => tails(sample));
  const own = withVictim(field.sample, field.end);
  return [
    ...PHRASES.flatMap((phrase) => [phrase, `${value} ${phrase}`, `${value}${phrase}`]),
    ...whole,
    ...ends,
    own,
  ].flatMap((text) => [text, `${value}${text}`, `${text} ${value}`, `${text}: ${value}`]);
}

/** The host that the line bans or forgives; null for none. */
export function hitHost(filter: CompiledFilter, line: string): string | null {
  const explanation = explainLine(filter, line, CONTEXT);
  return "match" in explanation ? explanation.match.host : null;
}

/** The lines in which the filter finds the victim. They are read as the daemon reads them: many at once. */
export function linesAgainstVictim(filter: CompiledFilter, lines: readonly string[]): string[] {
  const named = [...new Set(lines)].filter((line) => line.includes(VICTIM));
  const bytes = Buffer.from(named.map((line) => `${line}\n`).join(""), "latin1");
  const found: string[] = [];
  matcherOf(filter).scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    CONTEXT,
    ({ host, line }) => {
      if (host.includes(VICTIM)) found.push(line);
    },
  );
  return found;
}

/** Phrases around addresses and separators of log lines, for random forgeries. */
export const PHRASES: readonly string[] = [
  `from ${VICTIM}`,
  ` from ${VICTIM} port 22 ssh2`,
  ` from ${VICTIM} port 22: `,
  ` ${VICTIM} port 22`,
  ` ${VICTIM} port 22 [preauth]`,
  `rhost=${VICTIM}`,
  ` rhost=${VICTIM}  user=root`,
  `client ${VICTIM}`,
  `", client: ${VICTIM}, server: x`,
  `": password mismatch, client: ${VICTIM}, server: x, request: "GET / HTTP/1.1`,
  `[${VICTIM}]`,
  ` [${VICTIM}]:22 `,
  `x[${VICTIM}]: `,
  `(${VICTIM})`,
  ` (${VICTIM})' `,
  `'@'${VICTIM}' (using password: YES)`,
  `>, rip=${VICTIM}, lip=192.0.2.9`,
  ` SRC=${VICTIM} DST=192.0.2.9 `,
  `${VICTIM}#53 (x): `,
  `, ip=${VICTIM}, required=`,
  `"${VICTIM}"`,
  `\\"ip\\":\\"${VICTIM}\\"`,
  `","remote_ip":"${VICTIM}","x":"`,
  VICTIM,
];

/** The rest of a sample after each separator at which a field may end, with the victim as its address. */
function tails(sample: Sample): string[] {
  const line = withVictim(sample, 0);
  const cuts = [...line.matchAll(/ from |[ "'(<[]?198\.51\.100\.77|: |>, |", |' /g)].map(
    (match) => match.index,
  );
  return cuts.slice(-6).map((at) => line.slice(at));
}

function withVictim({ line, expected }: Sample, start: number): string {
  const rest = line.slice(start);
  return expected.kind === "none" ? rest : rest.replaceAll(expected.host, VICTIM);
}

const matchers = new WeakMap<CompiledFilter, Matcher>();

function matcherOf(filter: CompiledFilter): Matcher {
  const known = matchers.get(filter);
  if (known !== undefined) return known;
  const matcher = createMatcher([filter]);
  matchers.set(filter, matcher);
  return matcher;
}

const NO_HOSTNAME = /[^\w.-]/g;

const raw = (text: string): string => text;
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

function without(bytes: RegExp): (text: string) => string {
  return (text) => text.replace(bytes, "");
}

function captured(filter: CompiledFilter, sample: Sample): Field[] {
  const { line, known, never, escaped } = sample;
  const explanation = explainLine(filter, line, CONTEXT);
  if (!("match" in explanation)) return [];
  const pattern = filter.patterns.find(
    ({ kind, index }) => kind === explanation.kind && index === explanation.pattern,
  );
  // Positions in a wrapped line differ from those of the pattern.
  if (pattern === undefined || explanation.match.count > 1) return [];
  const indices = new RegExp(pattern.source, "d").exec(line)?.indices;
  return pattern.captures.flatMap(({ name, groups }) => {
    if (known.includes(name)) return [];
    const bytes = never[name];
    const allowed =
      bytes === undefined ? raw : without(new RegExp(`[${bytes.replace(/[\]\\^-]/g, "\\$&")}]`, "g"));
    const written = escaped.includes(name) ? inJson : allowed;
    return groups.flatMap((group) => {
      const span = indices?.[group];
      return span === undefined ? [] : [{ sample, name, start: span[0], end: span[1], written }];
    });
  });
}

function spansOf({ line, number }: Sample, texts: readonly string[]): [start: number, end: number][] {
  return texts.flatMap((text) => {
    const spans: [number, number][] = [];
    for (let at = line.indexOf(text); at >= 0; at = line.indexOf(text, at + text.length)) {
      spans.push([at, at + text.length]);
    }
    if (spans.length === 0) throw new Error(`sample ${number}: '${text}' is not in the line`);
    return spans;
  });
}
