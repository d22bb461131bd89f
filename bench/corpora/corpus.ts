import { attacker, type Visits, visitor } from "./attackers.ts";
import { Random } from "./random.ts";
import { SERVICES, type ServiceName } from "./services.ts";
import { type Stamp, stampOf } from "./stamp.ts";

/** Parameters of a corpus: the same parameters and the same end give the same bytes. */
export interface CorpusSpec {
  readonly service: ServiceName;
  readonly lines: number;
  /** The share of lines that are failures, 0 to 1. */
  readonly failures: number;
  readonly attackers: number;
  readonly visits: Visits;
  /** Lines per second by the lines' own time. */
  readonly rate: number;
  readonly seed: number;
}

/** The counts of a corpus, known from its generator and not from a matcher. */
export interface Contents {
  readonly lines: number;
  readonly bytes: number;
  readonly failures: number;
  /** The sum of all failures' last address words, modulo 2^32. */
  readonly addressSum: number;
  /** By number of failures: how many attackers failed at least that often. */
  readonly atLeast: Readonly<Record<number, number>>;
  /** Time of the last line, in ms. */
  readonly end: number;
}

/** Generates the lines in blocks, each line ended by LF, and returns their counts. */
export function* generate(spec: CorpusSpec, end: number): Generator<string, Contents> {
  const random = new Random(spec.seed);
  const service = SERVICES[spec.service];
  const failures = Math.round(spec.lines * spec.failures);
  const lastSecond = Math.floor(end / 1000);
  const counts = new Uint32Array(spec.attackers);
  let stamp: Stamp = stampOf(0);
  let failed = 0;
  let addressSum = 0;
  let bytes = 0;
  let block: string[] = [];
  for (let i = 0; i < spec.lines; i++) {
    const second = lastSecond - Math.floor((spec.lines - 1 - i) / spec.rate);
    if (second !== stamp.second) stamp = stampOf(second);
    // Exactly `failures` lines fail: each line with the probability of remaining failures among remaining lines.
    const fails = random.unit() * (spec.lines - i) < failures - failed;
    if (fails) {
      const who = visitor(spec.visits, failed++, { failures, attackers: spec.attackers, random });
      const { text, word } = attacker(who);
      counts[who]!++;
      addressSum = (addressSum + word) >>> 0;
      block.push(service.failure(stamp, text, random));
    } else block.push(service.noise(stamp, random));
    if (block.length === BLOCK || i === spec.lines - 1) {
      const text = `${block.join("\n")}\n`;
      bytes += text.length; // every generator writes ASCII only
      block = [];
      yield text;
    }
  }
  return {
    lines: spec.lines,
    bytes,
    failures: failed,
    addressSum,
    atLeast: atLeast(counts),
    end: lastSecond * 1000,
  };
}

const BLOCK = 4096;

function atLeast(counts: Uint32Array): Record<number, number> {
  return Object.fromEntries(
    [1, 2, 3, 5, 10].map((n) => [n, counts.reduce((sum, count) => sum + Number(count >= n), 0)]),
  );
}
