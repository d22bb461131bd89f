/**
 * Mutations of lines, always the same ones for a seed. Only ASCII is put in: other bytes are read differently by design. The date
 * stays as it is: fail2ban finds one that is broken elsewhere in the line, and remembers where.
 */
export function mutatedLines(lines: readonly string[], count: number, seed: number): readonly string[] {
  const random = randomNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const mutate = (line: string): string => {
    const head = HEAD.exec(line)?.[0] ?? "";
    return head + pick(MUTATIONS)(line.slice(head.length), withoutHead(pick(lines)), random);
  };
  return Array.from({ length: count }, (_, i) => {
    const line = lines[i % lines.length]!;
    const twice = random(4) === 0;
    return (twice ? mutate(mutate(line)) : mutate(line)).replace(/[\n\r\0]/g, " ");
  });
}

/** Up to the last time of day near the start, with its fraction and zone. */
const HEAD = /^.{0,70}\d\d:\d\d:\d\d\S*(?: [+-]\d{4}\]?| [AP]M| \d{4}\b)?/;

function withoutHead(line: string): string {
  return line.slice(HEAD.exec(line)?.[0].length ?? 0);
}

type Mutation = (line: string, other: string, random: (below: number) => number) => string;

const MUTATIONS: readonly Mutation[] = [
  (line) => line,
  // A byte is another one, one is missing, one is there twice.
  (line, _, random) => at(line, random, (before, after) => `${before}${asciiOf(random)}${after.slice(1)}`),
  (line, _, random) => at(line, random, (before, after) => before + after.slice(1)),
  (line, _, random) => at(line, random, (before, after) => before + after.charAt(0) + after),
  // A word is another line's, is missing, or is there twice.
  (line, other, random) => word(line, random, () => pickWord(other, random)),
  (line, _, random) => word(line, random, () => ""),
  (line, _, random) => word(line, random, (text) => `${text} ${text}`),
  (line, _, random) => word(line, random, () => "192.0.2.66"),
  (line, _, random) => word(line, random, () => "from 192.0.2.66 port 22"),
  // Cut, or glued to another line.
  (line, _, random) => line.slice(0, line.length - random(Math.min(40, line.length))),
  (line, other, random) => line.slice(0, random(line.length + 1)) + other.slice(random(other.length)),
  (line, other) => `${line} ${other}`,
];

function at(
  line: string,
  random: (below: number) => number,
  make: (before: string, after: string) => string,
): string {
  const place = random(line.length + 1);
  return make(line.slice(0, place), line.slice(place));
}

function word(line: string, random: (below: number) => number, make: (text: string) => string): string {
  const words = line.split(" ");
  const place = random(words.length);
  return [...words.slice(0, place), make(words[place]!), ...words.slice(place + 1)].join(" ");
}

function pickWord(line: string, random: (below: number) => number): string {
  const words = line.split(" ");
  return words[random(words.length)]!;
}

function asciiOf(random: (below: number) => number): string {
  return String.fromCharCode(32 + random(95));
}

/** Numbers below a bound, by a linear congruential generator. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
