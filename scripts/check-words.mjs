// @ts-check
// Finds words that make a sentence hard to read, with the plain ones to use instead. CONTRIBUTING.md has the rules.
//
//   node scripts/check-words.mjs [PATH…]      files or folders; without any, everything that is checked in
//
// A line that needs such a word says `words: ok` in a comment, or stands in the list of exceptions below.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isMain } from "./run.mjs";

/** What to avoid, and what to write. @type {readonly (readonly [RegExp, string])[]} */
const WORDS = [
  [/\b(nobody|somebody|whoever|whomever|whom|whosoever)\b/i, "name the client, address, operator or process"],
  [/\bthose who\b/i, "name the thing"],
  [
    /(?:^|[.;(] |\/\/ |\* )who (is|are|has|was|may|asks|wants|needs|reads|comes)/i,
    "name the client, address or operator",
  ],
  [/\b(he|him|his|himself)\b/i, "they for a person, it for a machine"],
  [/\banew\b/i, "again"],
  [/\bfor ever\b/i, "permanent"],
  [
    /(?<!\b(?:there|if) )\b(is|are|was|were|be) no (?!longer\b|more than\b|less\b|such\b|other\b|need\b|op\b)/i,
    "is not a …, or has no …",
  ],
  [/\btimes? (is|are|was) up\b/i, "expired"],
  [/\bas it were\b/i, "delete it"],
  [/\b(what|that) stands\b/i, "what is there; the name of it"],
  [
    /\b(stands|stand|stood|standing) (in (?!for\b)|at|on|there|above|below|before|behind|beside) /i,
    "is, are",
  ],
  [/\b(begun|began) again\b/i, "restarted"],
  [/\b(passe[sd]|passing|to pass|may pass|is passed) over\b/i, "skip"],
  [
    /\b(set|sets|let|lets) (him|it|them|an address|the address)? ?free\b|\bfre(es|ed|eing) (it|them|him|an|the) address/i,
    "unban",
  ],
  [/\bsightings?\b/i, "failure"],
  [/\bin vain\b/i, "without a match, without success"],
  [
    /\b(is|are|was|were) (told|asked|looked|seen|waited) (of|for|at|to|by)\b/i,
    "active voice: the actor first",
  ],
  [/\b(takes?|took|taken) up\b(?! to)/i, "restore, adopt, apply"],
  [/\bsees? to\b/i, "say what it does"],
  [/\bof (it|them) (is|are) (made|left|known)\b/i, "say what happens"],
  [
    /\bno (number|address|json|url|file|text|integer|word|list|prefix|time) (is|of)?\b(?=["'`.,;:)])/i,
    "not a number",
  ],
  [/\b(whereof|thereof|therein|wherein|hereby|nought|lest)\b/i, "modern words"],
];

/** Whole files that may hold such words: licences, changelogs of others, lines of log samples, recorded data. */
const EXCEPT =
  /^(LICENSE|package-lock\.json|scripts\/check-words\.mjs|test\/lint\/plain-english\.test\.ts|bench\/record\/|filters\/.*samples\.log|.*\.svg$)/;
const KINDS = /\.(ts|mjs|js|md|yaml|yml|json|sh|service|py)$/;

/** @param {string} text @returns {{ line: number, word: string, instead: string }[]} */
export function checkWords(text) {
  return text.split("\n").flatMap((line, index) => {
    if (line.includes("words: ok")) return [];
    return WORDS.flatMap(([pattern, instead]) => {
      const found = pattern.exec(line);
      return found === null ? [] : [{ line: index + 1, word: found[0].trim(), instead }];
    });
  });
}

/** @param {readonly string[]} paths */
export function checkFiles(paths) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const files = execFileSync(
    "git",
    ["ls-files", "--cached", "--others", "--exclude-standard", "--", ...paths],
    {
      cwd: root,
      encoding: "utf8",
    },
  )
    .split("\n")
    .filter((file) => KINDS.test(file) && !EXCEPT.test(file));
  return files.flatMap((file) => {
    let text = "";
    try {
      text = readFileSync(`${root}${file}`, "utf8");
    } catch {
      return []; // It is deleted and not yet committed.
    }
    return checkWords(text).map(({ line, word, instead }) => `${file}:${line}: "${word}": ${instead}`);
  });
}

if (isMain(import.meta.url)) {
  const found = checkFiles(process.argv.slice(2));
  for (const each of found) console.log(each);
  console.error(`${found.length} to reword`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
