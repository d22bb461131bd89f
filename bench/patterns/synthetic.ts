import { Random } from "../corpora/random.ts";

/** Patterns of services that write into none of the corpora: what a large installation has loaded and seldom needs. */
export function syntheticPatterns(count: number): readonly string[] {
  const random = new Random(4711);
  const made = new Set<string>();
  while (made.size < count) made.add(shape(made.size, random));
  return [...made];
}

function shape(n: number, random: Random): string {
  const daemon = `${random.pick(FIRST)}${random.pick(SECOND)}`;
  switch (n % 6) {
    case 0:
      return String.raw`${daemon}\[[0-9]+\]: ${random.pick(WHAT)} for [^ ]+ from <HOST>`;
    case 1:
      return String.raw`${daemon}: (error|warning): .*${random.pick(WHAT)}.*client=<HOST>`;
    case 2:
      return String.raw`^<HOST> - [^ ]+ \[[^]]+\] "(GET|POST|HEAD) /${random.pick(PATHS)}/${random.pick(FIRST)}${random.hex(3)}\.(php|asp|cgi)`;
    case 3:
      return String.raw`${daemon}\[[0-9]+\]: \[<HOST>\]:? ${random.pick(WHAT)} \(code [0-9]+\)`;
    case 4:
      return String.raw`${random.pick(WHAT)}; remote=<HOST>:[0-9]+ service=${daemon}`;
    default:
      return String.raw`${daemon} .*user "[^"]*" ${random.pick(WHAT)} \(ip: <HOST>\)`;
  }
}

const FIRST = [
  "prox",
  "mail",
  "vpn",
  "dns",
  "ldap",
  "chat",
  "game",
  "voice",
  "git",
  "ftp",
  "cam",
  "print",
  "iot",
  "sql",
  "radius",
  "cloud",
];
const SECOND = ["gated", "hub", "master", "relayd", "portal", "keeperd", "broker", "authd", "linkd", "serv"];
const WHAT = [
  "login incorrect",
  "bad credentials given",
  "authorisation was refused",
  "wrong secret presented",
  "unknown account name",
  "handshake rejected by policy",
  "too many wrong answers",
  "request outside of the realm",
  "token has been revoked",
  "illegal command sequence",
];
const PATHS = [
  "old",
  "backup",
  "tmp",
  "db",
  "setup",
  "install",
  "shell",
  "upload",
  "console",
  "rest",
  "panel",
];
