import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { evaluate } from "./evaluate.ts";
import { FormulaError, type PythonNumber } from "./formula.ts";
import { parseFormula } from "./parse-formula.ts";

const NAMES = ["ban.Time", "ban.Count", "banFactor"];

function result(text: string, [time, count, factor]: readonly PythonNumber[] = [600n, 3n, 1n]): PythonNumber {
  return evaluate(
    parseFormula(text, NAMES),
    new Map(NAMES.map((name, i) => [name, [time, count, factor][i] as PythonNumber])),
  );
}

describe("a formula", () => {
  it.each([
    ["ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor", 4800n],
    ["-2 ** 2", -4n],
    ["2 ** 3 ** 2", 512n],
    ["7 // -2", -4n],
    ["7 % -3", -2n],
    ["1 / 4", 0.25],
    ["1 < 2 < 3", 1n],
    ["3 > 2 > 2", 0n],
    ["0 or 5", 5n],
    ["not 1 == 2", 1n],
    ["min(3, 2.5, 7)", 2.5],
    ["round(2.5) + round(3.5)", 6n],
    ["int(-2.7)", -2n],
    ["~5", -6n],
  ])("%s is %s, as in Python", (text, expected) => {
    expect(result(text)).toBe(expected);
  });

  it.each([
    ["", "it ends too early"],
    ["1 +", "it ends too early"],
    ["1 2", "unexpected '2'"],
    ["ban.Time.__class__", "'ban.Time.__class__' is not known; there are ban.Time"],
    ["__import__('os')", "'__import__()' is not known; there are abs"],
    ["min(1)", "min() has 1 arguments"],
    ["1/0", "division by zero"],
    ["1 << -1", "negative shift"],
    ["1 << 99999", "a number is larger than 4096 bits"],
    ["9 ** 9 ** 9", "a number is larger than 4096 bits"],
    ["1.5 << 1", "<< needs whole numbers"],
    ["(".repeat(500), "nested more than 60 deep"],
    ["-".repeat(500), "nested more than 60 deep"],
    ["1+".repeat(600), "longer than 1000 characters"],
  ])("%s cannot be used", (text, fact) => {
    expect(() => result(text)).toThrow(FormulaError);
    expect(() => result(text)).toThrow(fact);
  });

  // jail.conf(5) has the first six; the others are what users write.
  const FORMULAS = [
    "ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor",
    "ban.Time * (1<<min(ban.Count,20)) * banFactor",
    "ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)",
    "ban.Time * 2 ** min(ban.Count, 10)",
    "ban.Time * (1 + ban.Count) * banFactor",
    "ban.Time * pow(3, ban.Count) // 2",
    "ban.Time * (ban.Count % 5 + 1) + 60 * (ban.Count > 3)",
    "ban.Time + 3600 * ban.Count if ban.Count < 8 else 7 * 86400",
    "max(ban.Time, int(86400 * math.log(ban.Count + 1)))",
    "ban.Time * math.sqrt(ban.Count) * banFactor ** 2",
    "round(ban.Time * 1.5 ** ban.Count / 60) * 60",
    "-ban.Time // 7 * -banFactor % 1000.5 + (ban.Count and 100 or 5)",
    "ban.Time * (5 if 2 <= ban.Count < 6 else not ban.Count) | 3 ^ 1 & ~2",
  ];
  const python = spawnSync("python3", ["--version"]).status === 0;

  it.skipIf(!python)(
    `gives what Python gives to the millisecond${python ? "" : " (python3 is not installed)"}`,
    () => {
      const cases = FORMULAS.flatMap((text) =>
        [600, 1, 86_400].flatMap((time) =>
          ["1", "3", "2.0 / 2.885385", "0.5"].flatMap((factor) =>
            [1, 2, 3, 5, 8, 13, 19, 20, 21, 40].map((count) => [text, time, count, factor] as const),
          ),
        ),
      );
      const { stdout } = spawnSync("python3", ["-c", PYTHON], { input: JSON.stringify(cases) });
      const expected = JSON.parse(String(stdout)) as (string | null)[];
      const ours = cases.map(([text, time, count, factor]) => {
        const values = [BigInt(time), BigInt(count), evaluate(parseFormula(factor), new Map())];
        try {
          return String(Math.round(Number(result(text, values)) * 1000));
        } catch {
          return null;
        }
      });
      expect(cases.length).toBe(1560);
      const differing = cases.filter((_, i) => {
        const [a, b] = [ours[i] ?? null, expected[i] ?? null];
        // Beyond a thousand years of seconds both are the longest ban, and exp may differ in its last bit.
        return a !== b && !(Number(a) > 1e14 && Math.abs(Number(a) / Number(b) - 1) < 1e-12);
      });
      expect(differing).toEqual([]);
      expect(expected.filter((value) => value === null).length).toBe(ours.filter((v) => v === null).length);
    },
  );
});

const PYTHON = `
import json, math, sys
class Ban:
    pass
out = []
for text, time, count, factor in json.load(sys.stdin):
    ban = Ban()
    ban.Time, ban.Count = time, count
    try:
        out.append(str(math.floor(float(eval(text, {"math": math, "ban": ban, "banFactor": eval(factor)})) * 1000 + 0.5)))
    except Exception:
        out.append(None)
print(json.dumps(out))
`;
