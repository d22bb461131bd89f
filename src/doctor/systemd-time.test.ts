import { expect, it } from "vitest";
import { parseSpan } from "./systemd-time.ts";

it.each([
  ["30s", 30_000],
  ["90", 90_000],
  ["1min 30s", 90_000],
  ["1h30min", 5_400_000],
  ["500ms", 500],
  ["0", 0],
  ["0.5h", 1_800_000],
  ["often", null],
  ["5 parsecs", null],
  ["", null],
])("parseSpan(%j) is %j ms", (text, span) => {
  expect(parseSpan(text)).toBe(span);
});
