import { Random } from "../corpora/random.ts";

/** Patterns of services that no corpus contains: a large installation has many and seldom needs them. */
export function syntheticPatterns(count: number): readonly string[] {
  const random = new Random(4711);
  const made = new Set<string>();
  while (made.size < count) made.add(shape(made.size, random));
  return [...made];
}

function shape(n: number, random: Random): string {
  const daemon = `${madeUp(random)}d`;
  switch (n % 6) {
    case 0:
      return String.raw`${daemon}\[[0-9]+\]: ${complaint(random)} for [^ ]+ from <HOST>`;
    case 1:
      return String.raw`${daemon}: (error|warning): .*${complaint(random)}.*client=<HOST>`;
    case 2:
      return String.raw`^<HOST> - [^ ]+ \[[^]]+\] "${random.pick(METHODS)} /${madeUp(random)}/${madeUp(random)}\.${random.pick(ENDINGS)}`;
    case 3:
      return String.raw`${daemon}\[[0-9]+\]: \[<HOST>\]:? ${complaint(random)} \(code [0-9]+\)`;
    case 4:
      return String.raw`${complaint(random)}; remote=<HOST>:[0-9]+ service=${daemon}`;
    default:
      return String.raw`${daemon} .*user "[^"]*" ${complaint(random)} \(ip: <HOST>\)`;
  }
}

/** An invented name of three or four syllables, so that patterns do not share beginnings. */
function madeUp(random: Random): string {
  return Array.from({ length: 3 + random.below(2) }, () => random.pick(ONSETS) + random.pick(RIMES)).join("");
}

function complaint(random: Random): string {
  return `${random.pick(THINGS)} ${random.pick(VERBS)} ${random.pick(REASONS)}`;
}

const ONSETS = [
  "b",
  "br",
  "c",
  "d",
  "dr",
  "f",
  "g",
  "h",
  "k",
  "l",
  "m",
  "n",
  "p",
  "pl",
  "r",
  "s",
  "st",
  "t",
  "tr",
  "v",
  "w",
  "x",
];
const RIMES = ["a", "an", "ar", "e", "el", "en", "i", "in", "ix", "o", "on", "or", "u", "un", "ul"];
const THINGS = [
  "login",
  "secret",
  "token",
  "session",
  "certificate",
  "handshake",
  "request",
  "account",
  "command",
  "challenge",
];
const VERBS = [
  "was refused",
  "is not valid",
  "did not match",
  "has expired",
  "was rejected",
  "could not be verified",
  "is unknown",
];
const REASONS = [
  "by policy",
  "for this realm",
  "at stage one",
  "after retry",
  "in the directory",
  "by the peer",
  "on this port",
];
const METHODS = ["GET", "POST", "HEAD"];
const ENDINGS = ["php", "asp", "cgi", "jsp", "action"];
