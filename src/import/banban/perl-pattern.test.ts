import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePattern } from "../../match/filter/pattern.ts";
import { translatePerl } from "./perl-pattern.ts";

/** What a translated pattern finds in a line (one character per byte). */
function ours(perl: string, line: string): string | null {
  const { pattern, remarks } = compilePattern(translatePerl(perl), {
    kind: "failure",
    index: 0,
    context: { define: {}, daemon: undefined },
  });
  if (pattern === null) throw new Error(remarks.map(({ fact }) => fact).join());
  const match = pattern.regex.exec(line);
  if (match === null) return null;
  return pattern.hosts.map((group) => match[group]).find((text) => text !== undefined) ?? "";
}

function oursIfTaken(pattern: string, line: string): string | null | undefined {
  try {
    return ours(pattern, line);
  } catch {
    return undefined;
  }
}

/** `$+{ip}` in Perl itself. Undefined where Perl gives up: it panics on a repeated class that matches nothing. */
function perl(
  questions: readonly (readonly [pattern: string, line: string])[],
): (string | null | undefined)[] {
  const input = questions.map(([pattern, line]) => `${hex(pattern)} ${hex(line)}\n`).join("");
  const { stdout, stderr, status } = spawnSync("perl", ["-e", PROGRAM], { input, encoding: "latin1" });
  if (status !== 0) throw new Error(`perl ended with ${status}: ${stderr}`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      if (line === "!") return undefined;
      return line === "-" ? null : Buffer.from(line.slice(1), "hex").toString("latin1");
    });
}

const hex = (text: string): string => `x${Buffer.from(text, "latin1").toString("hex")}`;

const PROGRAM = String.raw`
  no warnings; $| = 1;
  while (<STDIN>) {
    my ($p, $l) = map { pack("H*", substr($_, 1)) } split;
    my $re = eval { qr/$p/ };
    my $answer = "!";
    eval { $answer = $l =~ $re ? "x" . unpack("H*", $+{ip} // "") : "-" } if defined $re;
    print "$answer\n";
  }`;

const HAS_PERL = spawnSync("perl", ["-e", "1"]).status === 0;
const withPerl = HAS_PERL ? "" : " (skipped: no perl)";

const FORMS: readonly (readonly [pattern: string, line: string])[] = [
  ["mail: no (?<ip>[0-9a-f:.]+)$", "mail: no 192.0.2.1"],
  ["mail: no (?'ip'\\S+)", "mail: no 2001:db8::1"],
  ["mail: no (?P<ip>\\S+)", "mail: no 2001:db8::1"],
  ["\\Amail: (?<ip>[[:xdigit:].:]++)\\z", "mail: 192.0.2.1"],
  ["\\Amail: (?<ip>[[:xdigit:].:]+)\\z", "mail: 192.0.2.1"],
  ["\\Amail: (?<ip>[[:xdigit:].:]+)\\Z", "amail: 192.0.2.1"],
  ["(?i)MAIL: (?<ip>\\S+)", "mail: 192.0.2.1"],
  ["(?i:M)AIL: (?<ip>\\S+)", "mAIL: 192.0.2.1"],
  ["(?i)m(?^:A)il: (?<ip>\\S+)", "mail: 192.0.2.1"],
  ["(?x) mail: \\s (?<ip> \\S+ ) # the end", "mail: 192.0.2.1"],
  ["(?x: m a i l :)\\ (?<ip>\\S+)", "mail: 192.0.2.1"],
  ["ma\\Kil: (?<ip>\\S+)", "mail: 192.0.2.1"],
  ["mail:\\h+(?<ip>\\S+)", "mail:\t192.0.2.1"],
  ["mail:\\h+(?<ip>\\S+)", "mail:\xa0192.0.2.1"],
  ["mail:[\\H](?<ip>\\S+)", "mail:x192.0.2.1"],
  ["mail:\\N{2}(?<ip>\\S+)", "mail:xx192.0.2.1"],
  ["mail:\\v(?<ip>\\S+)", "mail:\x0b192.0.2.1"],
  ["mail:[^[:^alpha:]](?<ip>\\S+)", "mail:x192.0.2.1"],
  ["(?|mail: (?<ip>\\S+)|imap: (?<ip>\\S+))", "imap: 192.0.2.1"],
  ["to=<user>, from=<(?<ip>[^>]+)>", "to=<user>, from=<192.0.2.1>"],
  ["from <HOST> (?<ip>\\S+)", "from <HOST> 192.0.2.1"],
  ["(?<host>\\S+) sent (?<ip>\\S+)", "a sent 192.0.2.1"],
  ["m\\x61il: (?<ip>\\S+)\\x20\\x{21}\\041\\o{41}\\cA", "mail: 192.0.2.1 !!!\x01"],
  ["[]m]ail[^]]+(?<ip>\\d\\S+)", "]ail: 192.0.2.1"],
  ["[\\w-.]+: (?<ip>\\S+)", "ma-il: 192.0.2.1"],
  ["caf\u00e9s?: (?<ip>\\S+)", "caf\u00c3\u00a9: 192.0.2.1"],
  ["caf[\u00e9]{2}: (?<ip>\\S+)", "caf\u00c3\u00a9: 192.0.2.1"],
  ["a{b}: (?<ip>\\S+)", "a{b}: 192.0.2.1"],
  ["mail(?#why): (?<ip>\\S+)", "mail: 192.0.2.1"],
  ["(?<!e)mail: (?<ip>\\S+)(?= end)(?!x)", "mail: 192.0.2.1 end"],
  ["ma\\R?il: (?<ip>\\S+)", "mail: 192.0.2.1"],
];

describe("translatePerl()", () => {
  it.each(FORMS)("translates %s", (pattern) => {
    const text = translatePerl(pattern);
    expect(text).toMatch(/^[ -~]+$/);
    expect(text).toMatch(/\(\?<ip>/);
  });

  it.each([
    ["no (?<IP>\\S+)", "no (?<ip>…), so it names no address"],
    ["(a)++ (?<ip>\\S+)", "possessive ++ is supported after single characters only"],
    ["\\R++ (?<ip>\\S+)", "possessive ++ is supported after single characters only"],
    ["(?>a+) (?<ip>\\S+)", "an atomic group, (?>…), is not supported"],
    ["(?<ip>\\S+) (?R)", "recursion is not supported"],
    ["(?<ip>\\S+) (?1)", "recursion is not supported"],
    ["(?<ip>\\S+) \\1", "back-reference: cost cannot be bounded"],
    ["(?<ip>\\S+) \\k<ip>", "back-reference: cost cannot be bounded"],
    ["\\Qa.b\\E (?<ip>\\S+)", "\\Q has no effect in a pattern from a file: Perl takes it as the letter"],
    ["\\p{L} (?<ip>\\S+)", "\\p is not supported"],
    ["\\x{263a} (?<ip>\\S+)", "\\x{263a} is not a byte, and lines are bytes"],
    ["(?{ system 'x' })(?<ip>\\S+)", "program code, (?{…}), is not supported"],
    ["(?(1)a|b)(?<ip>\\S+)", "a conditional group is not supported"],
    ["(*COMMIT)(?<ip>\\S+)", "verbs such as (*FAIL) are not supported"],
    ["(?u)(?<ip>\\S+)", "the flag (?u) makes bytes beyond ASCII letters"],
    ["(?:(?<ip>a)|b)+", "its (?<ip>…) is in a repeated group"],
    ["a{,3}(?<ip>\\S+)", "its {…} is a count in new versions of Perl and text in old ones"],
    ["(?<ip>\\S+", "unterminated group"],
    ["(?<ip>\\S+))", "unmatched )"],
    ["[[:foo:]](?<ip>\\S+)", "unknown class [:foo:]"],
    ["[[.a.]](?<ip>\\S+)", "[.…] and [=…] in a class are not supported"],
    ["[a(?<ip>\\S+)", "unterminated class ["],
    ["(?x)( ?<ip>\\S+)", "nothing to repeat before ?"],
    ["(?<ip>\\S+)\\", "ends with a single backslash"],
  ])("refuses %s", (pattern, fact) => {
    expect(() => translatePerl(pattern)).toThrow(fact);
  });

  it.skipIf(!HAS_PERL)(`finds what Perl finds, form by form${withPerl}`, () => {
    const forms = FORMS;
    const bytes = forms.map(([pattern, line]) => [Buffer.from(pattern).toString("latin1"), line] as const);
    expect(forms.map(([pattern, line]) => ours(pattern, line))).toEqual(perl(bytes));
  });

  it.skipIf(!HAS_PERL)(`finds what Perl finds in random patterns and lines${withPerl}`, () => {
    const escapes = [
      "\\d",
      "\\W",
      "\\s",
      "\\S",
      "\\h",
      "\\H",
      "\\v",
      "\\V",
      "\\N",
      "\\x41",
      "\\.",
      "\\-",
      "\\t",
    ];
    const posix = [
      "alpha",
      "digit",
      "alnum",
      "upper",
      "lower",
      "punct",
      "space",
      "blank",
      "cntrl",
      "graph",
      "print",
      "xdigit",
      "word",
      "ascii",
    ];
    const members = fc.constantFrom(
      "a",
      "b-d",
      "-",
      "\\w",
      "\\h",
      "\\V",
      "\\x85",
      "\\]",
      ...posix.flatMap((name) => [`[:${name}:]`, `[:^${name}:]`]),
    );
    const cls = fc
      .tuple(fc.constantFrom("", "^"), fc.array(members, { minLength: 1, maxLength: 3 }))
      .map(([not, list]) => `[${not}${list.join("")}]`);
    const atom = fc.oneof(fc.constantFrom("a", "B", "c", " ", ".", ":", "<a>", "\\b", ...escapes), cls);
    const times = fc.constantFrom(
      "",
      "",
      "",
      "*",
      "+",
      "?",
      "{2}",
      "{1,2}?",
      "+?",
      "++",
      "*+",
      "?+",
      "{2}+",
      "{1,2}+",
      "{1,}+",
    );
    const piece = fc.tuple(atom, times).map(([one, many]) => (one === "\\b" ? one : one + many));
    const group = fc
      .tuple(
        fc.constantFrom("(", "(?:", "(?i:", "(?-i:", "(?x: ", "(?|", "(?<user>"),
        fc.array(piece, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
      )
      .map(([open, list, or]) => `${open}${list.join(or ? "|" : "")})`);
    const part = fc.oneof({ weight: 3, arbitrary: piece }, group);
    const parts = fc.array(part, { maxLength: 2 }).map((list) => list.join(""));
    const whole = fc
      .tuple(
        fc.constantFrom("", "^", "(?i)", "\\A", "(?x)"),
        parts,
        fc.constantFrom("[1-3:.]+", "\\d{1,3}"),
        parts,
        fc.constantFrom("", "$", "\\z"),
      )
      .map(([start, before, host, after, end]) => `${start}${before}(?<ip>${host})${after}${end}`);
    const line = fc
      .array(
        fc.constantFrom(
          "a",
          "A",
          "b",
          "B",
          "c",
          "1",
          "2",
          ".",
          ":",
          " ",
          "-",
          "<a>",
          "]",
          "\t",
          "\x0b",
          "\x85",
          "\xa0",
          "\xe9",
          "_",
        ),
        { maxLength: 14 },
      )
      .map((chars) => chars.join(""));
    const questions = fc.sample(fc.tuple(whole, line), { numRuns: 1500, seed: 7 });
    const answers = perl(questions);
    let refused = 0;
    const wrong = questions.flatMap(([pattern, text], i) => {
      const [answer, found] = [answers[i], oursIfTaken(pattern, text)];
      if (found === undefined) refused++;
      const known = answer !== undefined && found !== undefined;
      return known && answer !== found ? [{ pattern, text, answer, found }] : [];
    });
    expect(wrong).toEqual([]);
    expect(refused).toBeLessThan(150); // with free spacing, some quantifiers have nothing to repeat
    expect(answers.filter((answer) => typeof answer === "string").length).toBeGreaterThan(70);
  });

  it("always ends, with a pattern or an error", () => {
    const hostile = fc.string({
      unit: fc.constantFrom(..."()[]{}\\?<>^*+|:-#x0'ipKQ \u00e9".split("")),
      maxLength: 40,
    });
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          expect(translatePerl(text)).toMatch(/^[ -~]*$/);
        } catch (error) {
          expect((error as Error).constructor.name).toBe("PatternError");
        }
      }),
      { numRuns: 1000 },
    );
  });
});
